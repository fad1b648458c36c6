import { type Answer, type CallOptions, type Client, type House, openHouse, USD } from './house.ts'
import { advance } from './life.ts'
import { Narrator } from './narrator.ts'

// `npm run demo`: the whole life of a subscription, told as it happens on a system of its own, in test time.

const PLAN = 'acme-coding'
const prefer = { prefer: 'wait=30' }

/** Everybody of the story. What does not answer as the story needs it ends the story. */
const cast = async (house: House, narrator: Narrator) => {
  const speaker =
    (who: string, client: Client) =>
    async (expected: number, call: string, options: CallOptions = {}): Promise<Answer> => {
      const answer = await client(call, { ...options, headers: { ...prefer, ...options.headers } })
      narrator.called(who, call, options.body, answer)
      if (answer.status !== expected) throw new Error(`${call} answered ${answer.status}, not ${expected}.`)
      return answer
    }
  let keys = 0
  const key = () => {
    keys += 1
    return `demo-${keys}`
  }
  const operator = speaker('operator', house.admin)
  const user = async (name: string) => {
    const call = speaker(name, await house.as(name))
    return {
      call,
      buy: (expected = 201) => call(expected, 'POST /subscriptions', { body: { planId: PLAN }, key: key() }),
      credits: async () => narrator.credits(name, (await call(200, 'GET /credits')).body),
      told: async () => narrator.told(name, (await call(200, 'GET /notifications?limit=100')).body.data),
    }
  }
  const fund = (name: string, dollars: number) =>
    operator(201, `POST /admin/users/${name}/credits`, {
      body: { amountMicrodollars: dollars * USD, kind: 'payment', reason: `${name} paid by card` },
      key: key(),
    })
  const upload = (...secrets: string[]) =>
    operator(200, `POST /admin/plans/${PLAN}/keys`, {
      body: { entries: secrets.map((one) => ({ key: one })) },
      key: key(),
    })
  const pass = async (by: string) => narrator.passed(`${by} later`, await advance(house, { by }))
  /** To the end of a term itself: where months differ in length, it is not P1M after the last one. */
  const passTo = async (what: string, to: string) => narrator.passed(what, await advance(house, { to }))
  return { operator, user, fund, upload, pass, passTo }
}

/** The story, chapter by chapter. @throws at the first answer that it cannot go on from */
export const tell = async (house: House, print: (line: string) => void) => {
  const narrator = new Narrator(print)
  const { operator, user, fund, upload, pass, passTo } = await cast(house, narrator)
  const [ann, bob] = [await user('ann'), await user('bob')]

  narrator.chapter('A plan is published, and keys that were bought from the vendor are uploaded')
  const plan = {
    name: 'Acme Coding',
    providerId: 'acme',
    priceMicrodollars: 20 * USD,
    period: { unit: 'month', count: 1 },
  }
  await operator(200, `PUT /admin/plans/${PLAN}`, { body: { ...plan, graceHours: 48 } })
  await upload('sk-acme-0001')

  narrator.chapter('Ann buys it from prepaid credits: credits first, then the key, then the charge, then "active"')
  await fund('ann', 45)
  const { subscription } = (await ann.buy()).body
  const { id } = subscription
  const endOfTerm = async () => (await ann.call(200, `GET /subscriptions/${id}`)).body.currentPeriodEnd as string
  await ann.call(200, 'GET /slots')
  await ann.call(200, 'POST /slots/acme/reveal')

  narrator.chapter('She buys one more month: it is stacked on the end, same subscription, same key')
  await ann.buy()
  const paidUntil = await endOfTerm()
  await ann.credits()

  narrator.chapter('She cancels at the end of the period, and changes her mind')
  await ann.call(200, `POST /subscriptions/${id}/cancel`)
  await ann.call(200, `POST /subscriptions/${id}/resume`)

  narrator.chapter(
    'Two months pass. 5 USD are left, the next month costs 20: the automatic top-up pays what is missing',
  )
  await ann.call(200, 'PUT /credits/auto-top-up', {
    body: { enabled: true, amountMicrodollars: 10 * USD, paymentMethodId: 'pm_ok' },
  })
  await passTo('two months later', paidUntil)
  await ann.call(200, `GET /subscriptions/${id}/charges`)
  await ann.credits()

  narrator.chapter(
    'Her card expires: the next top-up is declined, and she is past due, with access, until the deadline',
  )
  await ann.call(200, 'PUT /credits/auto-top-up', { body: { enabled: true, paymentMethodId: 'pm_decline' } })
  await passTo('a month later', await endOfTerm())
  await ann.call(200, `GET /subscriptions/${id}`)

  narrator.chapter('A day later she pays: the term recovers at once, from its old boundary')
  await pass('P1D')
  await fund('ann', 20)
  await pass('PT1S')
  const lastEnd = await endOfTerm()

  narrator.chapter('Bob wants it too, but the only key is sold: he gives his credits to nobody, and wishes to be told')
  await fund('bob', 60)
  await bob.buy(409)
  await bob.credits()
  await bob.call(200, `PUT /plans/${PLAN}/restock-wish`)
  await upload('sk-acme-0002', 'sk-acme-0003')
  await pass('PT1S')
  await bob.told()
  const bought = (await bob.buy()).body.subscription

  narrator.chapter('Ann runs out of credits for good: grace, then the end, and the key leaves her slot')
  await passTo('at the end of her term', lastEnd)
  await pass('P2D')
  await ann.call(200, `GET /subscriptions/${id}`)
  await ann.call(200, 'GET /slots')

  narrator.chapter('She comes back: a new episode, a fresh key, today’s price')
  await fund('ann', 20)
  await ann.buy()
  await ann.told()

  narrator.chapter(
    'Bob ends his at once, and buys it no more: he deletes his account, and nothing but the ledger is left',
  )
  await bob.call(200, `POST /subscriptions/${bought.id}/cancel`, { body: { when: 'now' } })
  await bob.call(202, 'DELETE /me')
  await bob.buy(403)
  await bob.credits()

  narrator.chapter('What the operator sees')
  await operator(200, `GET /admin/inventory?planId=${PLAN}`)
  await operator(200, 'GET /admin/audit?limit=5')
  narrator.end()
}

if (import.meta.main) {
  const print = (line: string) => console.log(line)
  print('Starting a system of its own: Kafka, a schema registry, PostgreSQL, five services. Nothing is kept.')
  const house = await openHouse({ env: { LOG_LEVEL: 'warn' } })
  let closing: Promise<void> | undefined
  const close = () => {
    closing ??= house.close()
    return closing
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void close().then(() => process.exit(130)))
  try {
    await tell(house, print)
  } finally {
    await close()
  }
}
