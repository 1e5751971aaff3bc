/** What is wrong, by the invariant of SYNC.md §F.5 that says so. */
export class Violation extends Error {}
