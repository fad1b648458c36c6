/** The versions of the machine room, in one place; a test holds pom.xml, docker-compose.yml and package.json to them. */
export const versions = {
  kafka: '4.2.2',
  registry: '2.6.13.Final',
  postgres: '18.4',
  embeddedPostgres: '18.4.0-beta.17',
} as const

/** The oldest that will do. Kafka 4 brokers and the registry need Java 17. */
export const oldest = { java: 17, maven: '3.6.3' } as const
