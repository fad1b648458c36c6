/** Something the person at the keyboard can mend: one sentence, shown without a stack. */
export class Complaint extends Error {
  override readonly name = 'Complaint'
}

/** The sentence of anything thrown. */
export const sentenceOf = (thrown: unknown): string => {
  if (!(thrown instanceof Error)) return String(thrown)
  const { message, cause } = thrown
  // `fetch` and knex say only that they failed; why is said underneath.
  return cause instanceof Error && cause.message ? `${message}: ${cause.message}` : message || thrown.name
}

/** The code of a system error (`EADDRINUSE`), if it has one. */
export const codeOf = (thrown: unknown) => (thrown as NodeJS.ErrnoException | null)?.code
