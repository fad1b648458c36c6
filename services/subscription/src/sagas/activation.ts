import { say } from '@coding-plans/runtime'
import { withdrawn } from '../domain/wish.ts'
import type { ActivationMemory } from './saga.ts'
import {
  captureHold,
  free,
  givingBack,
  givingKeyBack,
  holdCredits,
  keeping,
  learnAccount,
  learnErased,
  learnTooLittle,
  purchaseRefused,
  releaseHold,
  removeKey,
  tellFailure,
  understood,
} from './steps.ts'
import type { SagaTable, Step } from './table.ts'

type State =
  | 'holding'
  | 'assigning'
  | 'capturing'
  | 'active'
  | 'releasing'
  | 'refused'
  | 'withdrawing'
  | 'failing'
  | 'failed'

const assignKey = ({ saga: { id, userId, memory } }: Step<ActivationMemory>) => {
  const {
    id: subscriptionId,
    planId,
    providerId,
    ownership,
    reveal,
    upstreamRevocation,
    lowStockThreshold,
  } = memory.episode
  const { currentPeriodEnd: termEndsAt, graceHours } = memory.episode
  const policy = { ownership, reveal, upstreamRevocation, lowStockThreshold, termEndsAt, graceHours }
  return say('AssignKey', { userId, assignmentId: id, subscriptionId, planId, providerId, ...policy })
}

const learnKey = ({ heard }: Step<ActivationMemory, 'KeyAssigned'>) => {
  const { keyId, slotVersion, stockVersion } = heard
  return { key: { keyId, slotVersion, stockVersion } }
}

const learnNoKey = ({ heard }: Step<ActivationMemory, 'KeyDeclined'>) => {
  const { reason, slotVersion, stockVersion } = heard
  return { refusal: { reason: understood(reason), slotVersion, stockVersion } }
}

/** Charge, key, slot and subscription: now all exist (SUB-2). */
const openEpisode = ({ books, saga: { memory } }: Step<ActivationMemory>) => {
  books.open(memory.episode)
  books.terms.put(memory.term)
}

const wishOf = ({ books, saga: { userId, memory } }: Step<ActivationMemory>) => {
  const wish = books.wish(userId, memory.episode.planId)
  return wish?.wished ? wish : null
}

/** Who bought it need not be told that it is back (RST-1). */
const forgetWish = (step: Step<ActivationMemory>) => {
  const wish = wishOf(step)
  return wish ? [step.books.withdraw(wish, null)] : []
}

const sayActivated = (step: Step<ActivationMemory>) => {
  const { userId, memory } = step.saga
  const { episode, operationId, term, accountVersion, key } = memory
  if (!key) throw new Error('A subscription begins without a key.')
  const wish = wishOf(step)
  return say('SubscriptionActivated', {
    userId,
    operationId,
    subscriptionId: episode.id,
    planId: episode.planId,
    planVersion: episode.planVersion,
    planName: episode.planName,
    providerId: episode.providerId,
    price: episode.price,
    periodUnit: episode.periodUnit,
    periodCount: episode.periodCount,
    graceHours: episode.graceHours,
    currentPeriodStart: episode.currentPeriodStart,
    currentPeriodEnd: episode.currentPeriodEnd,
    previousSubscriptionId: episode.previousSubscriptionId,
    createdAt: episode.createdAt,
    chargeId: term.chargeId,
    version: episode.version,
    accountVersion,
    ...key,
    wishVersion: wish && withdrawn(wish).version,
  })
}

const refuse = ({ saga: { userId, memory } }: Step<ActivationMemory>) => {
  const { operationId, episode, refusal, accountVersion } = memory
  if (!refusal) throw new Error('A purchase is refused without a reason.')
  return purchaseRefused({ userId, operationId, planId: episode.planId }, { accountVersion, ...refusal })
}

/** A user who is deleted meanwhile is refused; anything else that made it give back is a failure. */
const tellEnd = (step: Step<ActivationMemory>) => (step.saga.memory.refusal ? refuse(step) : tellFailure(step))

// Whichever of the two failed; the other is answered again.
const giveBack = [releaseHold, removeKey]

const givingAllBack = <Final extends State>(state: Final) => ({
  ...givingBack(state),
  ...givingKeyBack(state),
  CommandFailed: { to: state, again: giveBack },
})

/** Credits secured, then the key in the slot, then the charge, then "active" (SUB-1). Money comes first, so that nobody who cannot pay holds the last key (SUB-7). */
export const activation: SagaTable<State, ActivationMemory> = {
  begins: {
    when: free,
    yes: { to: 'assigning', send: assignKey },
    no: { to: 'holding', send: holdCredits },
  },
  states: {
    holding: {
      CreditsHeld: { to: 'assigning', send: assignKey },
      HoldDeclined: { to: 'refused', learn: learnTooLittle, send: refuse },
      ErasureAsked: { to: 'failing', learn: learnErased, send: releaseHold },
      CommandFailed: { to: 'failing', send: releaseHold },
    },
    assigning: {
      KeyAssigned: {
        when: free,
        yes: { to: 'active', learn: learnKey, change: openEpisode, send: sayActivated, follow: forgetWish },
        no: { to: 'capturing', learn: learnKey, send: captureHold },
      },
      KeyDeclined: {
        when: free,
        yes: { to: 'refused', learn: learnNoKey, send: refuse },
        no: { to: 'releasing', learn: learnNoKey, send: releaseHold },
      },
      ErasureAsked: { to: 'withdrawing', learn: learnErased, send: removeKey },
      CommandFailed: { to: 'withdrawing', send: removeKey },
      CreditsHeld: 'ignore',
    },
    capturing: {
      HoldCaptured: {
        to: 'active',
        learn: learnAccount,
        change: openEpisode,
        send: sayActivated,
        follow: forgetWish,
      },
      CommandFailed: { to: 'capturing', again: captureHold },
      CreditsHeld: 'ignore',
      KeyAssigned: 'ignore',
    },
    active: { ...keeping, KeyAssigned: 'ignore' },
    releasing: {
      ...givingKeyBack('releasing'),
      HoldReleased: { to: 'refused', learn: learnAccount, send: refuse },
      CommandFailed: { to: 'releasing', again: giveBack },
      CreditsHeld: 'ignore',
    },
    refused: givingAllBack('refused'),
    withdrawing: {
      KeyRemoved: {
        when: free,
        yes: { to: 'failed', send: tellEnd },
        no: { to: 'failing', send: releaseHold },
      },
      CommandFailed: { to: 'withdrawing', again: removeKey },
      CreditsHeld: 'ignore',
      KeyAssigned: 'ignore',
      KeyDeclined: 'ignore',
    },
    failing: {
      ...givingKeyBack('failing'),
      HoldReleased: { to: 'failed', send: tellEnd },
      CommandFailed: { to: 'failing', again: giveBack },
      CreditsHeld: 'ignore',
      HoldDeclined: 'ignore',
    },
    failed: givingAllBack('failed'),
  },
}
