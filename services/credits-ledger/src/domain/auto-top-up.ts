import { type Call, say } from '@coding-plans/runtime'
import {
  type AutoTopUpRefused,
  type Instant,
  microdollars,
  type SetAutoTopUp,
  type SettleAutoTopUp,
  type UserId,
} from '@coding-plans/schemas'
import type { Account } from './account.ts'
import type { AutoTopUp, Decision, Setting } from './decision.ts'
import type { PaymentTerms } from './payment-terms.ts'
import type { Cause } from './transfer.ts'

export interface SettingFile {
  readonly account: Account | undefined
  readonly settings: AutoTopUp | undefined
  /** What this operation asked for, if it came before. */
  readonly setting: Setting | undefined
}

export const never = (userId: UserId, at: Instant): AutoTopUp => ({
  userId,
  enabled: false,
  amount: microdollars(0),
  paymentMethodId: null,
  customerId: null,
  version: 0,
  setAt: at,
  operationId: null,
  turns: 0,
  enabledTurn: 0,
  amountTurn: 0,
  methodTurn: 0,
})

export const autoTopUpSet = (settings: AutoTopUp, operationId = settings.operationId) => {
  const { userId, enabled, amount, paymentMethodId, setAt: at, version } = settings
  return say('AutoTopUpSet', { userId, operationId, enabled, amount, paymentMethodId, at, version })
}

/**
 * What is absent stays as it was, also while it is off; to switch it on, both are needed (TOP-1). A method that was not
 * verified waits for the payment service's word; a copy of the command then hears what the first came to, or waits too.
 */
export const setAutoTopUp = (
  { account, settings, setting, terms }: SettingFile & { readonly terms: PaymentTerms },
  { userId, operationId, enabled, amount, paymentMethodId }: SetAutoTopUp,
  { at }: Cause,
): Decision => {
  const before = settings ?? never(userId, at)
  if (setting) return { says: answer(setting, before) }
  if (amount !== null && amount < 0) throw new Error(`${amount} is no amount to top up by.`)
  const turn = before.turns + 1
  const asked: Setting = { operationId, userId, state: 'asked', turn, enabled, amount, paymentMethodId }
  if (account?.closedAt) return refuse(asked, 'user_deleted')
  const method = paymentMethodId ?? before.paymentMethodId
  if (enabled && ((amount ?? before.amount) === 0 || method === null)) return refuse(asked, 'incomplete')
  const isKnown = before.paymentMethodId === paymentMethodId && before.customerId !== null
  if (terms.verifiesMethods && paymentMethodId !== null && !isKnown) {
    const call: Call = { call: 'verify', request: { userId, operationId, paymentMethodId } }
    return { setting: asked, settings: { ...before, turns: turn }, says: [call] }
  }
  return take(before, { asked, customerId: isKnown ? before.customerId : null, at })
}

/** The payment service has said whose the method is. Who is deleted meanwhile sets nothing any more (GDP-1). */
export const settleAutoTopUp = (
  { account, settings, setting }: SettingFile,
  { userId, operationId, outcome, customerId }: SettleAutoTopUp,
  { at }: Cause,
): Decision => {
  if (setting?.userId !== userId) throw new Error(`Operation ${operationId} set no automatic top-up.`)
  const before = settings ?? never(userId, at)
  if (setting.state !== 'asked') return { says: answer(setting, before) }
  if (account?.closedAt) return refuse(setting, 'user_deleted')
  if (outcome === 'not_yours') return refuse(setting, 'method_not_yours')
  if (outcome !== 'yours' || customerId === null) throw new Error(`Operation ${operationId} came to ${outcome}.`)
  return take(before, { asked: setting, customerId, at })
}

interface Taking {
  readonly asked: Setting
  readonly customerId: string | null
  readonly at: Instant
}

/**
 * As if each had taken effect when it was asked for: of one that waited, only what no later one has set since. Else a
 * verification that comes late would switch on again what was switched off meanwhile.
 */
const take = (before: AutoTopUp, { asked, customerId, at }: Taking): Decision => {
  const { operationId, turn, enabled, amount, paymentMethodId } = asked
  const setting: Setting = { ...asked, state: 'set', paymentMethodId: null }
  const changed = {
    ...(turn > before.enabledTurn ? { enabled, enabledTurn: turn } : {}),
    ...(amount !== null && turn > before.amountTurn ? { amount, amountTurn: turn } : {}),
    ...(paymentMethodId !== null && turn > before.methodTurn ? { paymentMethodId, customerId, methodTurn: turn } : {}),
  }
  if (Object.keys(changed).length === 0) return { setting, says: [autoTopUpSet(before, operationId)] }
  const turns = Math.max(before.turns, turn)
  const settings = { ...before, ...changed, turns, version: before.version + 1, setAt: at, operationId }
  return { setting, settings, says: [autoTopUpSet(settings)] }
}

type Refusal = Exclude<AutoTopUpRefused['reason'], 'unknown'>

const refuse = (asked: Setting, reason: Refusal): Decision => {
  const { userId, operationId } = asked
  const says = [say('AutoTopUpRefused', { userId, operationId, reason })]
  return { setting: { ...asked, state: reason, paymentMethodId: null }, says }
}

/** What this operation has come to, so far. */
const answer = ({ userId, operationId, state }: Setting, now: AutoTopUp) => {
  if (state === 'asked') return []
  if (state === 'set') return [autoTopUpSet(now, operationId)]
  return [say('AutoTopUpRefused', { userId, operationId, reason: state })]
}
