/** What a dying program said last, in one line: the message of a JSON log line, or the line itself. */
export const lastWord = (output: string): string => {
  const lines = output.split('\n').filter((line) => line.trim() !== '' && !/^\s+at |^Node\.js v/.test(line))
  const spoken = lines.map(sentenceOfLine)
  // An error's own line says more than the lines that follow it.
  return (spoken.findLast((line) => /error|fatal|exception|must|missing/i.test(line)) ?? spoken.at(-1) ?? '').trim()
}

const sentenceOfLine = (line: string): string => {
  try {
    const { msg, err } = JSON.parse(line) as { msg?: string; err?: { message?: string } }
    return [msg, err?.message].filter((part, at, parts) => part && parts.indexOf(part) === at).join(': ') || line
  } catch {
    return line
  }
}
