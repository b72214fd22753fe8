/** Rules that must hold and have no test that names them yet, each with the reason. The list only shrinks. */
export const notYet: Readonly<Record<string, string>> = {
};
