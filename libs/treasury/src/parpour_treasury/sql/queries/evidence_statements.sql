select json_build_object('number', s.number, 'statement', s.statement, 'sequence', s.sequence, 'opening', s.opening,
    'openedOn', s.opened_on, 'closing', s.closing, 'closedOn', s.closed_on, 'leftOut', s.left_out,
    'sha256', encode(s.digest, 'hex'), 'place', s.place, 'content', encode(s.content, 'hex'), 'format', s.format,
    'importedAt', s.imported_at, 'importedBy', s.imported_by)::text as line
from treasury.statement s where s.account_id = $1 and s.closed_on = $2 and ($3::timestamptz, $4::timestamptz) is not null
order by s.number
