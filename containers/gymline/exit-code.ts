/** 0: done. 1: wrong usage or a fault of the program. 2: done, but some inputs were rejected. */
export const EXIT = { done: 0, fault: 1, rejected: 2 } as const;
