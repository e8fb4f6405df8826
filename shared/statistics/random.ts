/** A stream of pseudo-random numbers that its seed determines. */
export interface Random {
  /** A whole number in [0, 2³²). */
  uint32(): number;
  /** A number in [0, 1) with 53 random bits. */
  float(): number;
  /** A whole number in [0, below), each equally likely; `below` from 1 to 2³². */
  int(below: number): number;
  /** A new array with the items in random order (Fisher–Yates). */
  shuffled<T>(items: readonly T[]): T[];
}

/**
 * xoshiro128** 1.1, its state filled by SplitMix64 from the seed (Blackman and Vigna, "Scrambled linear pseudorandom
 * number generators", 2021). Not for secrets.
 * @param seed a safe integer
 */
export function createRandom(seed: number): Random {
  if (!Number.isSafeInteger(seed)) throw new RangeError(`the seed must be a whole number, not ${seed}`);
  return fromState(splitMix(BigInt(seed)));
}

type State = readonly [number, number, number, number];

/** The generator in a given state, of which not all words may be zero. */
export function fromState([a, b, c, d]: State): Random {
  const state = Uint32Array.of(a, b, c, d);
  const [s0, s1, s2, s3] = [0, 1, 2, 3] as const;
  const word = (index: number): number => state[index] ?? 0;
  const uint32 = (): number => {
    const result = Math.imul(rotate(Math.imul(word(s1), 5), 7), 9) >>> 0;
    const shifted = word(s1) << 9;
    state[s2] = word(s2) ^ word(s0);
    state[s3] = word(s3) ^ word(s1);
    state[s1] = word(s1) ^ word(s2);
    state[s0] = word(s0) ^ word(s3);
    state[s2] = word(s2) ^ shifted;
    state[s3] = rotate(word(s3), 11);
    return result;
  };
  const int = (below: number): number => {
    if (!(Number.isInteger(below) && below >= 1 && below <= 2 ** 32)) {
      throw new RangeError(`a whole number from 1 to 2^32 is needed, not ${below}`);
    }
    let drawn = uint32();
    // The incomplete last stretch is thrown away: else small numbers would be likelier. It is shorter than `below`.
    if (drawn >= 2 ** 32 - below) {
      const limit = 2 ** 32 - (2 ** 32 % below);
      while (drawn >= limit) drawn = uint32();
    }
    // The remainder; exact, and several times faster than the operator, which is slow from 2^31.
    return drawn - Math.floor(drawn / below) * below;
  };
  return {
    uint32,
    float: () => ((uint32() >>> 5) * 2 ** 26 + (uint32() >>> 6)) / 2 ** 53,
    int,
    shuffled: <T>(items: readonly T[]): T[] => {
      const result = [...items];
      for (let index = result.length - 1; index > 0; index -= 1) {
        const other = int(index + 1);
        const [one, two] = [result[index] as T, result[other] as T];
        result[index] = two;
        result[other] = one;
      }
      return result;
    },
  };
}

function rotate(value: number, by: number): number {
  return (value << by) | (value >>> (32 - by));
}

function splitMix(seed: bigint): State {
  let state = BigInt.asUintN(64, seed);
  const next = (): readonly [number, number] => {
    state = BigInt.asUintN(64, state + 0x9e3779b97f4a7c15n);
    let z = state;
    z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n);
    z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d049bb133111ebn);
    z ^= z >> 31n;
    return [Number(z & 0xffffffffn), Number(z >> 32n)];
  };
  const [first, second] = [next(), next()];
  return [first[0], first[1], second[0], second[1]];
}
