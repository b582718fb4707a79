/** Where a refresh token lies sealed. */
export const sealContext = (shareId: string): string => `refresh_tokens.secret:${shareId}`

/** Where that lies sealed which a share that was passed on may be undone with. */
export const undoContext = (shareId: string): string => `outgoing_shares.undo:${shareId}`
