import { expect, test } from 'vitest'
import { serverAccount } from './account.ts'
import { lastWord } from './last-word.ts'
import { isOlder, javaVersionIn, mavenVersionIn } from './prerequisites.ts'

test.each([
  ['openjdk version "17.0.15" 2025-04-15', 17],
  ['java version "1.8.0_392"', 8],
  ['openjdk version "25" 2025-09-16', 25],
  ['command not understood', null],
])('the version of Java is read from %j', (words, version) => {
  expect(javaVersionIn(words)).toBe(version)
})

test('the version of Maven is read with its colours on', () => {
  expect(mavenVersionIn('\u001b[1mApache Maven 3.8.7\u001b[m\nMaven home: /usr/share/maven')).toBe('3.8.7')
  expect(mavenVersionIn('nothing')).toBeNull()
})

test('versions are compared by number, not by letter', () => {
  expect(isOlder('3.6.3', '3.6.3')).toBe(false)
  expect(isOlder('3.10.0', '3.6.3')).toBe(false)
  expect(isOlder('3.5.4', '3.6.3')).toBe(true)
})

test('as root, PostgreSQL gets the account made for it, else the one made for nothing', () => {
  const nobody = 'root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin'
  expect(serverAccount(nobody)).toEqual({ uid: 65534, gid: 65534 })
  expect(serverAccount(`${nobody}\npostgres:x:101:104::/var/lib/postgresql:/bin/bash`)).toEqual({ uid: 101, gid: 104 })
  expect(serverAccount('root:x:0:0:root:/root:/bin/bash')).toBeNull()
})

test('the last word of a service is the message of its last complaint', () => {
  const words = [
    '{"level":30,"msg":"starting"}',
    '{"level":60,"msg":"CODING_PLAN_PRICE_X must be digits only.","err":{"message":"CODING_PLAN_PRICE_X must be digits only."}}',
    '',
  ]
  expect(lastWord(words.join('\n'))).toBe('CODING_PLAN_PRICE_X must be digits only.')
})

test('the last word of a crash is the error, not the stack below it', () => {
  const words = 'file.ts:1\n  throw new Error()\n\nError: no luck\n    at file.ts:1:1\n\nNode.js v24.21.0\n'
  expect(lastWord(words)).toBe('Error: no luck')
})
