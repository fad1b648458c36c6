import { routes } from '@coding-plans/schemas'
import { expect, test } from 'vitest'
import { failure, refusalOf, refusals } from './refusals.ts'

const symbolsOf = (event: keyof typeof refusals): readonly string[] => {
  const fields = routes[event].schema.fields as readonly { name: string; type: { symbols?: readonly string[] } }[]
  return fields.find(({ name }) => name === 'reason')?.type.symbols ?? []
}

test('ERR-1: every refusal that a service can say has a status and a stable code', () => {
  for (const event of Object.keys(refusals) as (keyof typeof refusals)[]) {
    expect(symbolsOf(event).length).toBeGreaterThan(0)
    expect(Object.keys(refusals[event]).toSorted()).toEqual(symbolsOf(event).toSorted())
  }
})

test('SUB-4: the codes of a purchase are the contract’s', () => {
  const statuses = Object.fromEntries(
    Object.entries(refusals.PurchaseRefused).map(([reason, [status, code]]) => [reason, `${status} ${code}`]),
  )
  expect(statuses).toEqual({
    unknown: '500 internal',
    user_deleted: '403 account_deleted',
    not_found: '404 not_found',
    plan_closed: '409 plan_closed',
    purchase_in_progress: '409 purchase_in_progress',
    already_subscribed: '409 already_subscribed',
    prepaid_limit: '409 prepaid_limit',
    insufficient_credits: '402 insufficient_credits',
    slot_occupied: '409 slot_occupied',
    sold_out: '409 sold_out',
  })
})

test('a refusal keeps the fields the contract names, and cannot lose its code to them', () => {
  expect(refusalOf('UploadRefused', 'entries_invalid', { report: [], code: 'x' })).toMatchObject({
    status: 422,
    code: 'entries_invalid',
    report: [],
  })
  expect(failure()).toMatchObject({ status: 500, code: 'internal' })
})
