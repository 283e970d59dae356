/**
 * The version of everything in this folder that a plugin can see. A plugin states the version it
 * was written for.
 */
export const contractVersion = 1;
