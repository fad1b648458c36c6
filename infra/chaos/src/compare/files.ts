import { readFileSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import { filesUnder, searchFor } from '@coding-plans/e2e/search'
import type { Notebook } from '../memory.ts'
import type { Site } from '../site.ts'

/** What lies in files when all has stopped. */

/** What every service says when it starts. */
const IN_EVERY_LOG = '"listening"'

interface Control {
  readonly place: string
  readonly text: string
  /** By its path in the directory of the run. */
  readonly holds: (path: string) => boolean
}

/** What is known to lie in the places that are searched: where it is not found, a key would not be either. */
const controlsOf = (processes: readonly string[], { plain }: Notebook): Control[] => [
  {
    place: 'a segment of a topic',
    text: plain,
    holds: (path) => path.startsWith('servers/kafka/') && path.endsWith('.log'),
  },
  { place: 'a file of PostgreSQL', text: plain, holds: (path) => path.startsWith('servers/postgres/') },
  ...processes.map((name) => ({
    place: `the log of ${name}`,
    text: IN_EVERY_LOG,
    holds: (path: string) => path.startsWith(`house/logs/${name}.log`),
  })),
]

/** No key lies anywhere in plain sight, in logs, Kafka's files, database files; and the search finds what does. @returns a sentence */
export const searchForKeys = (directory: string, processes: readonly string[], notebook: Notebook): string => {
  const files = filesUnder(directory)
  const { found, bytes } = searchFor(notebook.mark, files)
  for (const file of found) notebook.violation('no key lies in plain sight', relative(directory, file))
  const controls = controlsOf(processes, notebook)
  const missed = controls.filter(({ text, holds }) => {
    const there = files.filter((file) => holds(relative(directory, file)))
    return searchFor(text, there).found.length === 0
  })
  for (const { place, text } of missed)
    notebook.violation('the search for keys finds what is there', `not ${text} in ${place}`)
  const size = (bytes / 1024 / 1024).toFixed(0)
  return `keys in plain sight: ${files.length} files, ${size} MiB scanned, ${found.length} hold one; ${controls.length - missed.length} of ${controls.length} controls found`
}

/** What the gateways noted of requests that failed. Of a commit whose answer was lost neither yes nor no can be said: that is no fault. */
export const failedRequestsOf = ({ directory }: Site) => {
  const failed = filesUnder(join(directory, 'house', 'logs'))
    .filter((file) => basename(file).startsWith('gateway'))
    .flatMap((file) => readFileSync(file, 'utf8').split('\n'))
    .filter((line) => line.includes('A request failed'))
  const faulty = failed.filter((line) => !line.includes('"Ambiguous"'))
  return { faulty, ambiguous: failed.length - faulty.length }
}
