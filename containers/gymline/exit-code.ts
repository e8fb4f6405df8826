/**
 * 0: done. 1: wrong usage or a fault of the program. 2: done, but some inputs were rejected. 75 (EX_TEMPFAIL of
 * sysexits.h): stopped, and the same command goes on.
 */
export const EXIT = { done: 0, fault: 1, rejected: 2, interrupted: 75 } as const;
