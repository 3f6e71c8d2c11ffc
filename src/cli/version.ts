/** The version in package.json; the build puts it here. */
declare const BITPRESS_VERSION: string;

export const version = BITPRESS_VERSION;
