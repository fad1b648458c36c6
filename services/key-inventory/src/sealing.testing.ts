import { AEAD_AES_256_GCM, CipherSuite, KDF_HKDF_SHA256, KEM_DHKEM_X25519_HKDF_SHA256 } from 'hpke'

const suite = new CipherSuite(KEM_DHKEM_X25519_HKDF_SHA256, KDF_HKDF_SHA256, AEAD_AES_256_GCM)

/** What the gateway does: seal a text to the inventory's public key. */
export const seal = async (publicKey: Uint8Array, text: string, associated: string): Promise<Buffer> => {
  const key = await suite.DeserializePublicKey(Uint8Array.from(publicKey))
  const words = { info: Buffer.from('coding-plans/v1'), aad: Buffer.from(associated) }
  const { encapsulatedSecret, ciphertext } = await suite.Seal(key, Buffer.from(text), words)
  return Buffer.concat([encapsulatedSecret, ciphertext])
}
