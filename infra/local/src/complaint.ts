/** Something the person at the keyboard can mend: one sentence, shown without a stack. */
export class Complaint extends Error {
  override readonly name = 'Complaint'
}

/** The sentence of anything thrown. */
export const sentenceOf = (thrown: unknown) => (thrown instanceof Error ? thrown.message : String(thrown))

/** The code of a system error (`EADDRINUSE`), if it has one. */
export const codeOf = (thrown: unknown) => (thrown as NodeJS.ErrnoException | null)?.code
