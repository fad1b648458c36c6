import type { Instant, PlanPublished, PublishPlan } from '@coding-plans/schemas'

/** A message's fields as they were understood: no enumeration says `unknown`. */
export type Known<Body> = { readonly [Field in keyof Body]: Exclude<Body[Field], 'unknown'> }

/** One version of a plan: everything a buyer and the operator settled on, immutable once published (CAT-2). */
export type PlanVersion = Known<PlanPublished>

export type PlanRefusal = { reason: 'price_fixed'; variable: string } | { reason: 'provider_fixed'; variable: null }

interface Published {
  readonly current: PlanVersion | undefined
  readonly command: PublishPlan
  readonly fixedPrice: { variable: string; price: number } | undefined
  readonly at: Instant
}

/** The next version of a plan, or why there is none (CAT-2, CAT-3). @throws if the command says what nobody understands. */
export const publish = ({ current, command, fixedPrice, at }: Published): PlanVersion | PlanRefusal => {
  const { actor, ...spec } = command
  assertUnderstood(spec)
  if (current && current.providerId !== spec.providerId) return { reason: 'provider_fixed', variable: null }
  if (fixedPrice && fixedPrice.price !== spec.price) return { reason: 'price_fixed', variable: fixedPrice.variable }
  return { ...spec, version: (current?.version ?? 0) + 1, publishedBy: actor, publishedAt: at }
}

function assertUnderstood<Body extends object>(body: Body): asserts body is Body & Known<Body> {
  for (const [field, value] of Object.entries(body))
    if (value === 'unknown' && !TEXTS.has(field)) throw new Error(`A plan with an unknown ${field}.`)
}
// Here `unknown` is a word like any other.
const TEXTS: ReadonlySet<string> = new Set(['planId', 'operationId', 'providerId', 'providerName', 'name'])

/** What the operator may read in the audit about a version; a plan has no secrets. */
export const describeVersion = ({ operationId, publishedBy, publishedAt, ...spec }: PlanVersion) => JSON.stringify(spec)
