/** Whether batches are compared with the checksum they were written with. It costs as much as reading them, so only who verifies does. */
export const checksums = { compared: false }

/** A record of a batch that is not as it was written. */
export interface Spoilt {
  spoilt?: boolean
}
