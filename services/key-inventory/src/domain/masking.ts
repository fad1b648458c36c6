const HIDDEN = '•'
const VISIBLE = 4
const HIDDEN_WHOLE_UP_TO = 8

/**
 * What may be shown of a key: the last 4 characters, nothing of one that has up to 8. The length is not told.
 * A character that cannot be seen is shown hidden: it could not be stored or read either (NUL, half a pair).
 */
export const mask = (key: string): string => {
  const characters = [...key]
  if (characters.length <= HIDDEN_WHOLE_UP_TO) return HIDDEN.repeat(HIDDEN_WHOLE_UP_TO)
  const tail = characters.slice(-VISIBLE).map((character) => (/[\p{C}\p{Z}]/u.test(character) ? HIDDEN : character))
  return HIDDEN.repeat(HIDDEN_WHOLE_UP_TO - VISIBLE) + tail.join('')
}
