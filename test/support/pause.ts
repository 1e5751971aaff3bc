/** Knows how to let real time pass, where a test is about time and no signal tells. */
export const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms))
