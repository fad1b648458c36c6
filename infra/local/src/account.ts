import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, readFileSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { Complaint } from './complaint.ts'
import { run } from './run.ts'

/** How a program is run that refuses to be run by root. */
export interface Runner {
  /** Whose the program's files are; null: whose they are already. */
  readonly owner: { uid: number; gid: number } | null
  /** What `spawn` is told. */
  readonly account: { uid: number; gid: number } | undefined
  /** The command line that runs `command` that way. */
  readonly wrap: (command: string, options: readonly string[]) => [string, string[]]
}

const plainly: Runner['wrap'] = (command, options) => [command, [...options]]

/** The account for servers: the one made for PostgreSQL where there is one, else the one made for nothing. */
export const serverAccount = (passwd: string): { uid: number; gid: number } | null => {
  const lines = passwd.split('\n').map((line) => line.split(':'))
  const found = lines.find(([name]) => name === 'postgres') ?? lines.find(([name]) => name === 'nobody')
  return found ? { uid: Number(found[2]), gid: Number(found[3]) } : null
}

const isOpenToAll = (path: string): boolean =>
  path === dirname(path) || ((statSync(path).mode & 0o001) !== 0 && isOpenToAll(dirname(path)))

/**
 * How to run PostgreSQL, which refuses to be root. An ordinary user runs it as is. Root runs it as a server account if that
 * one can reach the program and the data directory; else (a checkout under /root) in a user namespace, where root's files
 * belong to an ordinary number.
 * @throws Complaint when neither is possible.
 */
export const findRunner = async (program: string, directory: string): Promise<Runner> => {
  if (process.getuid?.() !== 0) return { owner: null, account: undefined, wrap: plainly }
  const account = existsSync('/etc/passwd') ? serverAccount(readFileSync('/etc/passwd', 'utf8')) : null
  if (account && isOpenToAll(dirname(program)) && isOpenToAll(dirname(directory))) {
    // The directory is ours: letting others walk through it shows them nothing of what is in it.
    chmodSync(directory, statSync(directory).mode | 0o011)
    return { owner: account, account, wrap: plainly }
  }
  // A number that the system knows by name: initdb asks for it.
  const namespace = ['--user', `--map-user=${account?.uid}`, `--map-group=${account?.gid}`]
  const possible = account && (await run('unshare', [...namespace, program, '--version']).catch(() => null))
  if (possible)
    return {
      owner: { uid: 0, gid: 0 },
      account: undefined,
      wrap: (command, options) => ['unshare', [...namespace, command, ...options]],
    }
  throw new Complaint(
    `PostgreSQL does not run as root, and no other account may enter ${directory}; run as an ordinary user, or choose a DATA_DIR and a checkout that everybody may enter.`,
  )
}

/** Give a directory and all in it to whom the runner runs as. */
export const giveTo = (runner: Runner, directory: string) => {
  const { owner } = runner
  if (owner && statSync(directory).uid !== owner.uid)
    execFileSync('chown', ['-R', `${owner.uid}:${owner.gid}`, directory])
}
