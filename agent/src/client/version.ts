/** The same as in package.json; a test compares them. Reading that file at each start would cost a disk access. */
export const VERSION = '0.1.0';
