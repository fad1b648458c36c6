import type { Message } from '@coding-plans/runtime'
import { iso } from '../instants.ts'
import { showOperatorPlan } from '../presentation.ts'
import { refusalOf } from '../refusals.ts'
import { CLOCK, type ReadModels } from './models.ts'
import { refuse, succeed } from './operations.ts'

export const planPublished = (models: ReadModels, message: Message<'PlanPublished'>) => {
  const { operationId, ...plan } = message.body
  const shown = models.plans.get(plan.planId)
  if (!shown || plan.version > shown.version) models.plans.put(plan)
  models.planVersions.push(plan)
  if (operationId === null) return
  const stock = models.stock.get(plan.planId)
  const offered = { ...plan, available: stock?.available ?? 0, sellableUntil: stock?.sellableUntil ?? null }
  succeed(models, message, operationId, showOperatorPlan(offered, message.asOf))
}

export const planRefused = (models: ReadModels, message: Message<'PlanRefused'>) => {
  const { operationId, reason, variable } = message.body
  const problem = refusalOf('PlanRefused', reason, variable === null ? {} : { variable })
  const detail = variable === null ? problem.detail : `${variable} fixes the price of this plan.`
  refuse(models, message, operationId, { ...problem, detail })
}

/** The clock that others read, by its version. */
const setClock = ({ clock }: ReadModels, now: number, settled: boolean, version: number) => {
  const shown = clock.get(CLOCK)
  if (!shown || version > shown.version) clock.put({ now, settled, version })
}

export const clockMoved = (models: ReadModels, { body }: Message<'ClockMoved'>) =>
  setClock(models, body.now, body.settled, body.version)

export const clockAdvanced = (models: ReadModels, message: Message<'ClockAdvanced'>) => {
  const { now, version, operationId } = message.body
  setClock(models, now, true, version)
  succeed(models, message, operationId, { mode: 'test', now: iso(now), settled: true })
}

export const clockRefused = (models: ReadModels, message: Message<'ClockRefused'>) => {
  const { operationId, reason } = message.body
  refuse(models, message, operationId, refusalOf('ClockRefused', reason))
}

export const billingTicked = (models: ReadModels, message: Message<'BillingTicked'>) => {
  const { clock: _, operationId, asOf, ...counts } = message.body
  succeed(models, message, operationId, { asOf: iso(asOf), ...counts })
}

export const audited = ({ audit }: ReadModels, { id, body }: Message<'ActionAudited'>) => {
  audit.push({ id, ...body })
}
