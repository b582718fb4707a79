/** Where a refresh token lies sealed. */
export const sealContext = (shareId: string): string => `refresh_tokens.secret:${shareId}`
