import { SignJWT } from 'jose'

/** A token for a user and roles, good for a day. The secret's text, as it is written, is the key. */
export const signToken = (secret: string, user: string, roles: readonly string[]): Promise<string> =>
  new SignJWT({ roles: [...roles] })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setSubject(user)
    .setIssuedAt()
    .setExpirationTime('1 day')
    .sign(new TextEncoder().encode(secret))
