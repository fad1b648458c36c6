/** With one more, the newest last; the oldest of too many are forgotten. */
export const remember = <Value>(known: Record<string, Value>, id: string, value: Value, most: number) => {
  const { [id]: _, ...others } = known
  return Object.fromEntries([...Object.entries(others), [id, value] as const].slice(-most))
}
