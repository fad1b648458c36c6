/** A part of a secret this long says too much of it. */
const TELLING = 8
const HIDDEN = '•'

/** A text without any part of a secret that is long enough to tell it; of a shorter secret, without the whole. */
export const withoutSecret = (text: string, secret: string): string => {
  const part = Math.min(TELLING, secret.length)
  if (part === 0) return text
  const hidden = new Set<number>()
  for (let from = 0; from + part <= text.length; from += 1)
    if (secret.includes(text.slice(from, from + part)))
      for (let place = from; place < from + part; place += 1) hidden.add(place)
  return Array.from({ length: text.length }, (_, place) => (hidden.has(place) ? HIDDEN : text[place])).join('')
}
