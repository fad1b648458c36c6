import type { PartitionAssigner } from 'kafkajs'
import { AssignerProtocol } from './library.ts'

const VERSION = 1
const { MemberAssignment, MemberMetadata } = AssignerProtocol

interface Member {
  readonly memberId: string
  readonly topics: readonly string[]
}

/**
 * A lane belongs to one member whole: all partitions n of the topics that the member subscribes to. kafkajs' own round
 * robin splits lanes at most group sizes, and one user's messages would leave through two processes.
 * Rendezvous-free and simple: members sorted by id, lanes dealt in turn.
 */
export const dealLanes = (members: readonly Member[], partitionsOf: (topic: string) => number[]) => {
  const sorted = [...members].sort((a, b) => (a.memberId < b.memberId ? -1 : 1))
  return sorted.map(({ memberId, topics }, index) => ({
    memberId,
    assignment: Object.fromEntries(
      topics.map((topic) => [topic, partitionsOf(topic).filter((lane) => lane % sorted.length === index)]),
    ),
  }))
}

export const laneAssignor: PartitionAssigner = ({ cluster }) => ({
  name: 'lanes',
  version: VERSION,
  async assign({ members }) {
    const read = members.map(({ memberId, memberMetadata }) => ({
      memberId,
      topics: MemberMetadata.decode(memberMetadata)?.topics ?? [],
    }))
    // The leader may not subscribe to what another member does (a rolling deployment).
    await cluster.addMultipleTargetTopics([...new Set(read.flatMap(({ topics }) => topics))])
    const partitionsOf = (topic: string) =>
      cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => partitionId)
    return dealLanes(read, partitionsOf).map(({ memberId, assignment }) => ({
      memberId,
      memberAssignment: MemberAssignment.encode({ version: VERSION, assignment, userData: Buffer.alloc(0) }),
    }))
  },
  protocol({ topics }) {
    return { name: 'lanes', metadata: MemberMetadata.encode({ version: VERSION, topics, userData: Buffer.alloc(0) }) }
  },
})
