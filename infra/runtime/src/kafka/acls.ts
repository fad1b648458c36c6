import type { AclEntry, Admin } from 'kafkajs'
import type { Cluster } from '../cluster.ts'
import { withAdmin } from './topics.ts'

const RESOURCES = { topic: 2, group: 3, cluster: 4 } as const
const OPERATIONS = {
  read: 3,
  write: 4,
  create: 5,
  alter: 7,
  describe: 8,
  describeConfigs: 10,
  alterConfigs: 11,
} as const
const [ANY, LITERAL, ALLOW] = [1, 3, 3]
const CLUSTER = 'kafka-cluster'

/** One thing that one user may do. */
export interface Access {
  readonly user: string
  readonly operation: keyof typeof OPERATIONS
  /** `*`: all of the kind. Of a cluster there is one. */
  readonly on: { readonly topic: string } | { readonly group: string } | 'cluster'
}

const entryOf = ({ user, operation, on }: Access): AclEntry => {
  const [kind, name] =
    on === 'cluster'
      ? (['cluster', CLUSTER] as const)
      : 'topic' in on
        ? (['topic', on.topic] as const)
        : (['group', on.group] as const)
  return {
    principal: `User:${user}`,
    host: '*',
    operation: OPERATIONS[operation],
    permissionType: ALLOW,
    resourceType: RESOURCES[kind],
    resourceName: name,
    resourcePatternType: LITERAL,
  }
}

const textOf = (entry: AclEntry) =>
  [
    entry.principal,
    entry.host,
    entry.permissionType === ALLOW ? 'may' : 'may not',
    nameIn(OPERATIONS, entry.operation),
    nameIn(RESOURCES, entry.resourceType),
    entry.resourceName,
    entry.resourcePatternType === LITERAL ? '' : '(by prefix)',
  ].join(' ')

const nameIn = (names: Readonly<Record<string, number>>, number: number) =>
  Object.keys(names).find((name) => names[name] === number) ?? String(number)

/** Whether it allows everybody something on what is ours; what else lies on these brokers is not our matter. */
const opensToAll = (entry: AclEntry, ours: readonly AclEntry[]) =>
  entry.principal === 'User:*' &&
  entry.permissionType === ALLOW &&
  ours.some(
    ({ resourceType, resourceName }) =>
      resourceType === entry.resourceType &&
      (entry.resourceName === '*' ||
        (entry.resourcePatternType === LITERAL
          ? resourceName === entry.resourceName
          : resourceName.startsWith(entry.resourceName))),
  )

/**
 * Give what is declared, and look that these users have nothing else, nor everybody (`User:*`) anything of it.
 * @returns false when the brokers have no authorizer: then everybody may do everything.
 * @throws one Error that names all that a user has beyond it.
 */
export const ensureAcls = (cluster: Cluster, declared: readonly Access[]): Promise<boolean> =>
  withAdmin(cluster, async (admin) => {
    const present = await presentAcls(admin)
    if (!present) return false
    const entries = declared.map(entryOf)
    const wanted = new Set(entries.map(textOf))
    const users = new Set(entries.map(({ principal }) => principal))
    const surplus = present.filter(
      (entry) => (users.has(entry.principal) || opensToAll(entry, entries)) && !wanted.has(textOf(entry)),
    )
    if (surplus.length > 0)
      throw new Error(
        `The brokers allow what is not declared: ${surplus.map((entry) => textOf(entry).trim()).join('; ')}.`,
      )
    const given = new Set(present.map(textOf))
    const missing = entries.filter((entry) => !given.has(textOf(entry)))
    if (missing.length > 0) await admin.createAcls({ acl: missing })
    return true
  })

const presentAcls = async (admin: Admin): Promise<AclEntry[] | null> => {
  const everything = { resourceType: ANY, resourcePatternType: ANY, operation: ANY, permissionType: ANY }
  try {
    const { resources } = await admin.describeAcls(everything as never)
    return resources.flatMap(({ acls, ...resource }) =>
      acls.map((acl) => ({ ...acl, ...resource, resourcePatternType: resource.resourcePatternType })),
    )
  } catch (error) {
    if ((error as { type?: string }).type === 'SECURITY_DISABLED') return null
    throw error
  }
}
