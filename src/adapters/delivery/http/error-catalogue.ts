// Every way the API says no, as a table: for the docs page and for docs/errors.md.

import { type RefusalReason, refusals } from '#domain/shared/refusal.ts';
import { codes, type ErrorStatus, faultMessage, statusOf } from './kit/problem.ts';

export interface CatalogueLine {
  readonly status: ErrorStatus;
  readonly code: string;
  readonly reason: string;
  readonly message: string;
}

export const errorCatalogue = (): readonly CatalogueLine[] => {
  const reasons = Object.keys(refusals) as RefusalReason[];
  const lines = reasons.map((reason) => ({
    status: statusOf[reason],
    code: codes[statusOf[reason]],
    reason,
    message: refusals[reason],
  }));
  return [...lines, { status: 500, code: codes[500], reason: 'internal', message: faultMessage }];
};

/** The text of docs/errors.md. */
export const errorsDocument = (): string => {
  const rows = errorCatalogue().map(
    ({ status, code, reason, message }) => `| \`${reason}\` | ${status} \`${code}\` | ${message} |`,
  );
  return `# Errors

Every answer that is not what was asked for has this shape, whatever went wrong:

\`\`\`json
{
  "error": {
    "code": "FORBIDDEN",
    "reason": "membership.directory_managed",
    "message": "The directory manages this member. Change them in your identity provider.",
    "details": { "member": "mem_01h455vb4pex5vsknk084sn02q" },
    "request_id": "req_01h455vb4pex5vsknk084sn02q"
  }
}
\`\`\`

- \`code\` goes with the status; \`reason\` is the stable name to program against; \`message\` is for people and may be reworded.
- \`details\` holds what can be told: for \`request.invalid\`, \`issues\` lists what was expected where. Values that were sent are never repeated.
- \`request_id\` is also in the header \`X-Request-Id\` of every answer, good or bad. Tell it to us and we can find the request.
- 401 comes with \`WWW-Authenticate\`; 503 with \`Retry-After\` in seconds.
- Another organization's thing is 404, never 403: it does not exist for you. So is an id that cannot exist.
- A few operations answer a reason with another status than this table, where it is about somebody else than the caller: \`agent.not_active\` is 409 when a key is issued; \`user.not_active\` and \`organization.not_active\` are 403 at sign-in. \`/docs\` tells the statuses of each operation.

| Reason | Status and code | Message |
|---|---|---|
${rows.join('\n')}

This page is written by \`errorsDocument()\` in \`src/adapters/delivery/http/error-catalogue.ts\`; a test keeps it current.
`;
};
