/** Of this package, as `package.json` has it: functions and jobs run without that file. A test compares the two. */
export const VERSION = "0.1.0";
