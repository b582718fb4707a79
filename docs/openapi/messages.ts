import { form, json, post, ref } from './operations.ts'

const unsigned = 'The signature is wrong, or missing where it is required'
const noKeys = "The keys or the discovery document of the sender's server cannot be had"
const notJson = 'Another media type, charset or any content coding'
const malformed = 'A member is missing or malformed, or the body is not what was signed'

export const token = post({
  operationId: 'exchangeToken',
  summary: 'An access token for a refresh token',
  description: 'JSON with the same members is read too.',
  reads: ['TokenRequest', form, json],
  success: { 200: ['Never cached', 'TokenResponse'] },
  error: 'OAuthError',
  refusals: {
    400: '`invalid_request`, `unsupported_grant_type` or `invalid_grant`',
    401: '`invalid_client`: the signature is wrong, or missing where it is required',
    403: '`unauthorized_client`: the configuration denies this server',
    415: 'Any content coding',
    429: 'Too many for this share; `Retry-After`',
    502: "The keys of the client's server cannot be had",
  },
})

export const shares = post({
  operationId: 'offerShare',
  summary: 'A share for a user of this server',
  description:
    '`sharedBy` and `sharedByDisplayName` are read as `sender` and `senderDisplayName`. What the members may say beyond their form is in docs/protocol.md.',
  reads: ['ShareOffer', json],
  success: { 201: ['Recorded, now or before', 'ShareReceipt'] },
  error: 'OcmError',
  refusals: {
    400: malformed,
    401: unsigned,
    403: 'Of another server than the signature, denied, or not of a contact',
    409: 'Another share with this `providerId` was received before',
    415: notJson,
    501: 'A share type, resource type, protocol or requirement that is not supported',
    502: noKeys,
  },
})

export const notifications = post({
  operationId: 'notify',
  summary: 'What became of a share',
  description: 'Signed, or with the `sharedSecret` of the share.',
  reads: ['Notification', json],
  success: { 201: ['Done, now or before', 'NotificationAnswer'] },
  error: 'OcmError',
  refusals: {
    400: malformed,
    401: unsigned,
    403: 'Not of the other side of this share, or not allowed',
    409: 'Accepted after it was declined',
    415: notJson,
    501: 'This type of notification is not supported',
    502: noKeys,
  },
})

const acceptance = (operationId: string, summary: string) =>
  post({
    operationId,
    summary,
    description: 'A form with the same members is read too.',
    reads: ['InviteAcceptance', json, form],
    success: { 200: ['Who gave the invite', 'InviteIdentity'] },
    error: 'OcmError',
    refusals: {
      400: `No living invite has this token. ${malformed}`,
      401: unsigned,
      403: 'Of another server than the signature, or denied',
      415: notJson,
      502: noKeys,
    },
  })

/** The same person again is told the same again. */
export function inviteAccepted(operationId: string, summary: string) {
  const operation = acceptance(operationId, summary)
  const schema = { anyOf: [ref('InviteIdentity'), ref('OcmError')] }
  const description = 'Used before: by this person, whom it answers as before, or by somebody else'
  const used = { 409: { description, content: { [json]: { schema } } } }
  return { ...operation, responses: { ...operation.responses, ...used } }
}
