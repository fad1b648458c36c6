export { type Cluster, clusterOf, readCluster } from './cluster.ts'
export { subjectOf } from './codec.ts'
export {
  type Authorities,
  authorities,
  integer,
  list,
  oneOf,
  optional,
  readEnvironment,
  refuseSharedSecrets,
  secret,
  secrets,
  text,
} from './config.ts'
export { openDatabase } from './database.ts'
export { deadLetterTopicOf } from './dead-letter.ts'
export { backOff, isTrouble, isUniqueViolation, Nonsense, Poisoned, pause, Trouble } from './failures.ts'
export {
  type Call,
  type Caller,
  type Calling,
  type Calls,
  type Decide,
  type Handler,
  type LaneWork,
  type Message,
  type Prepare,
  type Saying,
  say,
  type Tx,
} from './handler.ts'
export { createHttp, type OpenWork, requireInternal } from './http.ts'
export { earlyProblem, MOST_CONNECTIONS, MOST_HEADER_BYTES, MOST_HEADERS } from './http-limits.ts'
export { messageId } from './ids.ts'
export { topicsHeard, topicsOf } from './intake.ts'
export { type Access, ensureAcls } from './kafka/acls.ts'
export { laneOf } from './kafka/lane-of.ts'
export {
  askCluster,
  endOffsets,
  ensureTopics,
  groupOffsets,
  longestKeptMilliseconds,
  type Offsets,
  type TopicDeclaration,
} from './kafka/topics.ts'
export { SEEN_IS_KEPT_FOR_DAYS } from './lanes.ts'
export { redrivenTopicOf } from './letters.ts'
export { type Logger, openLog } from './log.ts'
export { type Migration, migrate } from './migrate.ts'
export { readStored, type Stored } from './reading.ts'
export { isLastWord, recordKeyOf } from './record-key.ts'
export { callRegistry, type RegistryAddress } from './registry-call.ts'
export { kafkaPasswordOf, withSecretFiles } from './secret-files.ts'
export { type Parts, type Running, runService, type ServiceOptions, startService } from './service.ts'
export { type ServiceEnvironment, serviceEnvironment } from './service-environment.ts'
export { execute, insertRows, select, updateRows, upsertRows } from './sql.ts'
export { inTransaction } from './transaction.ts'
export type { Worker } from './worker.ts'
