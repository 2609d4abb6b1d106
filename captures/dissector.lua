-- The part of the dissector that is the same whatever the messages are. captures/dissector.ts writes the tables of the codec in
-- front of it: VERSION, HEADER, FIELD_HEAD, EXTRA_COUNT, PORTS, FIELDS, MESSAGES, STREAM. What is refused, where and in which words, is as in
-- endpoints/message/codec.ts, and test/captures/dissector.test.ts compares the two.

local protocol = Proto('naptlab', 'naptlab: rendezvous server, request issuer and request acceptor')
-- What TLS has opened. It has no items of its own: to people and filters it is the same protocol.
local inside_tls = Proto('naptlab_tls', 'naptlab inside TLS')

-- ── Kinds of values ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

local function is_utf8(text)
  local at = 1
  while at <= #text do
    local lead, size, low, high = text:byte(at), nil, 0x80, 0xbf
    if lead < 0x80 then size = 1
    elseif lead >= 0xc2 and lead <= 0xdf then size = 2
    elseif lead >= 0xe0 and lead <= 0xef then size = 3
    elseif lead >= 0xf0 and lead <= 0xf4 then size = 4
    else return false end
    -- Nothing overlong, no surrogates, nothing above U+10FFFF (RFC 3629 §4).
    if lead == 0xe0 then low = 0xa0 elseif lead == 0xed then high = 0x9f elseif lead == 0xf0 then low = 0x90 elseif lead == 0xf4 then high = 0x8f end
    for i = 1, size - 1 do
      local byte = text:byte(at + i)
      if byte == nil or byte < low or byte > high then return false end
      low, high = 0x80, 0xbf
    end
    at = at + size
  end
  return true
end

local function holds_control(text)
  return text:find('\0', 1, true) ~= nil or text:find('[\1-\31\127]') ~= nil or text:find('\194[\128-\159]') ~= nil
end

-- For the Info column, which is one line on a terminal.
local function printable(text)
  local shown = text:gsub('[%z\1-\31\127]', '.'):gsub('\194[\128-\159]', '.')
  return shown
end

local function text_flaw(forbidden, name)
  return function(range)
    local text = range:raw()
    if not is_utf8(text) then return 'is not UTF-8 text' end
    if forbidden(text) then return 'holds ' .. name end
  end
end

-- What a JavaScript number holds exactly: 2^53 - 1.
local function size_flaw(range)
  if range(0, 4):uint() > 0x1fffff then return ('is %s, not 0 to 9007199254740991'):format(tostring(range:uint64())) end
end

local function milliseconds(range)
  local value = range(0, 4):uint() * 4294967296 + range(4, 4):uint()
  if value >= 253402300800000 then return nil end -- the year 10000
  return os.date('!%Y-%m-%d %H:%M:%S', math.floor(value / 1000)) .. ('.%03d UTC'):format(value % 1000)
end

local function text_info(range) return printable(range:raw()) end
local function number_info(range) return tostring(range:uint()) end

-- new: the field for Wireshark; flaw: what is wrong with the bytes, in words; info: the value in the Info column, where it has a place there;
-- note: what stands behind the value in the tree.
local KINDS = {
  name = {
    new = function(name, title) return ProtoField.string(name, title, base.UNICODE) end,
    flaw = text_flaw(holds_control, 'a control character'), info = text_info,
  },
  line = {
    new = function(name, title) return ProtoField.string(name, title, base.UNICODE) end,
    flaw = text_flaw(function(text) return text:find('\n', 1, true) ~= nil end, 'a line feed'), info = text_info,
  },
  ipv4 = { new = ProtoField.ipv4, info = function(range) return tostring(range:ipv4()) end },
  port = {
    new = function(name, title) return ProtoField.uint16(name, title, base.DEC) end,
    flaw = function(range) if range:uint() == 0 then return 'is 0, not 1 to 65535' end end, info = number_info,
  },
  code = { new = function(name, title, values) return ProtoField.uint8(name, title, base.DEC, values) end, info = number_info },
  flag = {
    new = function(name, title) return ProtoField.uint8(name, title, base.DEC, { [0] = 'not set', [1] = 'set' }) end,
    flaw = function(range) if range:uint() > 1 then return ('is %d, not 0 or 1'):format(range:uint()) end end,
  },
  size = { new = function(name, title) return ProtoField.uint64(name, title, base.DEC) end, flaw = size_flaw },
  time = { new = function(name, title) return ProtoField.uint64(name, title, base.DEC) end, flaw = size_flaw, note = milliseconds },
  hex = { new = function(name, title) return ProtoField.bytes(name, title) end },
  bytes = { new = function(name, title) return ProtoField.bytes(name, title) end },
}

-- ── What Wireshark is told of ────────────────────────────────────────────────────────────────────────────────────────────────────

local TYPES = {}
for type, message in pairs(MESSAGES) do TYPES[type] = message.label end

local fields = {
  version = ProtoField.uint8('naptlab.version', 'version', base.DEC),
  type = ProtoField.uint8('naptlab.type', 'type', base.DEC, TYPES),
  length = ProtoField.uint16('naptlab.length', 'length', base.DEC),
  number = ProtoField.string('naptlab.number', 'number in the documents'),
  id = ProtoField.uint8('naptlab.field.id', 'field', base.DEC),
  size = ProtoField.uint16('naptlab.field.length', 'length', base.DEC),
  unknown = ProtoField.string('naptlab.unknown', 'unknown field', base.UNICODE),
}
-- By the codec's keys.
local values = {}
for key, field in pairs(FIELDS) do
  local new = field.secret and KINDS.name.new or KINDS[field.kind].new
  values[key] = new('naptlab.' .. field.name, field.title, field.values)
end
-- Of the packets of a stream over UDP.
local PIECES, pieces = {}, {
  id = ProtoField.bytes('naptlab.datagram.id', 'connection ID'),
  length = ProtoField.uint16('naptlab.datagram.length', 'bytes of the stream', base.DEC),
  range = ProtoField.string('naptlab.datagram.range', 'came behind a hole'),
  checksum = ProtoField.uint32('naptlab.datagram.checksum', 'checksum', base.HEX),
}
for type, piece in pairs(STREAM.kinds) do
  PIECES[type] = piece.label
  for _, part in ipairs(piece.parts) do
    local name = 'naptlab.datagram.' .. part.name
    pieces[part.name] = pieces[part.name] or (part.length == 8 and ProtoField.bytes(name, part.title) or ProtoField.uint64(name, part.title, base.DEC))
  end
end
pieces.type = ProtoField.uint8('naptlab.datagram.type', 'type', base.DEC, PIECES)
local all = {}
for _, set in ipairs({ fields, values, pieces }) do
  for _, field in pairs(set) do all[#all + 1] = field end
end
protocol.fields = all

local DEFECTS = {
  truncated = 'message cut short', version = 'unknown version', type = 'unknown type', length = 'bad length',
  field = 'bad field', missing = 'missing field', trailing = 'bytes behind the message',
}
local experts = {
  captured = ProtoExpert.new('naptlab.defect.captured', 'not captured whole', expert.group.UNDECODED, expert.severity.NOTE),
}
for kind, title in pairs(DEFECTS) do
  experts[kind] = ProtoExpert.new('naptlab.defect.' .. kind, title, expert.group.MALFORMED, expert.severity.ERROR)
end
protocol.experts = experts

-- ── The codec ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

-- offset: from the message's first byte.
local function defect(kind, offset, sentence, ...)
  return { kind = kind, offset = offset, sentence = select('#', ...) > 0 and sentence:format(...) or sentence }
end

-- A record of any TLS or SSL 3.0: change cipher spec, alert, handshake, application data.
local function is_tls(tvb, at, available)
  if available < 2 then return false end
  local type = tvb(at, 1):uint()
  return type >= 20 and type <= 23 and tvb(at + 1, 1):uint() == 3
end

-- The message that begins at `at`, and its length with the header; or a defect. `available`: bytes from there on that were captured.
local function read_header(tvb, at, available)
  local version = available > 0 and tvb(at, 1):uint() or VERSION
  if version ~= VERSION then
    if is_tls(tvb, at, available) then return nil, nil, defect('version', 0, 'the other end speaks TLS, and this end does not') end
    return nil, nil, defect('version', 0, 'version %d is not known; this side speaks version %d', version, VERSION)
  end
  local type = available > 1 and tvb(at + 1, 1):uint()
  local message = type and MESSAGES[type]
  if type and not message then return nil, nil, defect('type', 1, 'there is no message of type %d', type) end
  if available < HEADER then return message, nil, defect('truncated', available, 'the header is cut short: %d of %d bytes', available, HEADER) end
  local length = tvb(at + 2, 2):uint()
  if length > message.limit then
    return message, nil, defect('length', 2, '%s announces %d bytes; at most %d are allowed', message.label, length, message.limit)
  end
  return message, HEADER + length, nil
end

local function missing_field(message, from, to, at)
  for place = from, to do
    local use = message.fields[place]
    if not use.optional then return defect('missing', at, '%s lacks the %s', message.label, FIELDS[use.key].title) end
  end
end

local function length_flaw(length, min, max)
  return ('%d bytes long, not %s'):format(length, min == max and tostring(min) or ('%d to %d'):format(min, max))
end

local function read_field(tvb, key, offset, length)
  local field = FIELDS[key]
  if length < field.min or length > field.max then
    return defect('field', offset - 2, 'the %s is %s', field.title, length_flaw(length, field.min, field.max))
  end
  local judge = KINDS[field.kind].flaw
  local flaw = judge and judge(tvb(offset, length))
  if flaw then return defect('field', offset, 'the %s %s', field.title, flaw) end
end

-- The fields of the table come first and in its order; then fields that this version does not know. Gives what is good, and the first defect.
local function read_fields(tvb, message, stop)
  local spans, place, extras, at = {}, 1, 0, HEADER
  while at < stop do
    if stop - at < FIELD_HEAD then return spans, defect('field', at, 'a field is cut short') end
    local id, length, offset = tvb(at, 1):uint(), tvb(at + 1, 2):uint(), at + FIELD_HEAD
    if length > stop - offset then return spans, defect('field', at + 1, 'field %d announces %d bytes; %d are left', id, length, stop - offset) end
    local found = message.places[id]
    local key = found and message.fields[found].key
    if found and found < place then return spans, defect('field', at, 'the %s is repeated or out of order', FIELDS[key].title) end
    local upto = found or #message.fields + 1
    local flaw = missing_field(message, place, upto - 1, at) or (key and read_field(tvb, key, offset, length))
    if flaw then return spans, flaw end
    if not key then
      extras = extras + 1
      if extras > EXTRA_COUNT then return spans, defect('field', at, 'more than %d further fields', EXTRA_COUNT) end
    end
    spans[#spans + 1] = { id = id, key = key, offset = offset, length = length }
    place = found and found + 1 or upto
    at = offset + length
  end
  return spans, missing_field(message, place, #message.fields, stop)
end

-- All that `tvb` is: one message, as in a datagram.
local function read_message(tvb)
  local captured, length = tvb:captured_len(), tvb:reported_len()
  local message, total, flaw = read_header(tvb, 0, captured)
  if flaw and captured < length and flaw.kind == 'truncated' then flaw.kind = 'captured' end
  if not total then return message, {}, flaw end
  if length < total then flaw = defect('truncated', length, 'the message is cut short: %d of %d bytes', length, total)
  elseif length > total then flaw = defect('trailing', total, '%d bytes follow the message', length - total) end
  local stop = math.min(total, captured)
  local spans, wrong = read_fields(tvb, message, stop)
  if not flaw then
    flaw = captured < length and defect('captured', captured, 'the capture holds %d of %d bytes', captured, length) or wrong
  end
  return message, spans, flaw
end

-- ── The tree and the columns ─────────────────────────────────────────────────────────────────────────────────────────────────────

local function masked(length) return ('•••• (%d bytes)'):format(length) end

local function show_field(tvb, tree, span)
  local field = span.key and FIELDS[span.key]
  local head, range = tvb(span.offset - FIELD_HEAD, FIELD_HEAD), tvb(span.offset, span.length)
  local item
  -- A secret is no value of any item, so that no export of the fields has it. A field that this version does not know might be one.
  if not field then item = tree:add(fields.unknown, head, masked(span.length), ('field %d: %s'):format(span.id, masked(span.length)))
  elseif field.secret then item = tree:add(values[span.key], head, masked(span.length))
  else
    local kind = KINDS[field.kind]
    item = tree:add_packet_field(values[span.key], range, kind.info == text_info and ENC_UTF_8 or ENC_BIG_ENDIAN)
    local note = kind.note and kind.note(range)
    if note then item:append_text(' (' .. note .. ')') end
  end
  item:add(fields.id, head(0, 1))
  item:add(fields.size, head(1, 2))
end

local function summary(tvb, message, spans)
  local parts = {}
  for _, span in ipairs(spans) do
    local field = span.key and FIELDS[span.key]
    local info = field and not field.secret and KINDS[field.kind].info
    if info and span.length > 0 then
      local range = tvb(span.offset, span.length)
      local value = field.values and field.values[range:uint()] or info(range)
      parts[#parts + 1] = value
    end
  end
  return message.label .. (#parts > 0 and ': ' .. table.concat(parts, ', ') or '')
end

-- The Info column of a packet with several messages has them all.
local function write_info(pinfo, text)
  if pinfo.private.naptlab == nil then pinfo.cols.info:set(text) else pinfo.cols.info:append('; ' .. text) end
  pinfo.private.naptlab = 'shown'
  pinfo.cols.info:fence()
end

local function show_message(tvb, pinfo, tree)
  local captured = tvb:captured_len()
  local message, spans, flaw = read_message(tvb)
  pinfo.cols.protocol:set('NAPTLAB')
  local root = tree:add(protocol, tvb())
  root:append_text(', ' .. (message and message.label or 'no message'))
  root:add(fields.version, tvb(0, 1))
  if captured > 1 then root:add(fields.type, tvb(1, 1)) end
  if message and message.number then root:add(fields.number, tvb(1, 1), message.number):set_generated() end
  if captured >= HEADER then root:add(fields.length, tvb(2, 2)) end
  for _, span in ipairs(spans) do show_field(tvb, root, span) end
  if flaw then
    root:add_tvb_expert_info(experts[flaw.kind], tvb(math.min(flaw.offset, captured - 1), 1), ('%s (byte %d)'):format(flaw.sentence, flaw.offset))
  end
  write_info(pinfo, (message and summary(tvb, message, spans) or 'no message') .. (flaw and ' [' .. flaw.sentence .. ']' or ''))
end

-- ── Packets of a stream over UDP ─────────────────────────────────────────────────────────────────────────────────────────────────

-- Lua 5.2 has these as functions, later versions as operators, which 5.2 cannot read.
local bits = bit32 or load('return { bxor = function(a, b) return a ~ b end, band = function(a, b) return a & b end, rshift = function(a, b) return a >> b end }')()
local CRC = {}
for byte = 0, 255 do
  local value = byte
  for _ = 1, 8 do value = value % 2 == 1 and bits.bxor(bits.rshift(value, 1), 0xedb88320) or bits.rshift(value, 1) end
  CRC[byte] = value
end

-- As zlib has it.
local function crc32(text)
  local value = 0xffffffff
  for at = 1, #text do value = bits.bxor(CRC[bits.bxor(bits.band(value, 255), text:byte(at))], bits.rshift(value, 8)) end
  return bits.bxor(value, 0xffffffff)
end

-- Numbers of six bytes.
local function number_at(tvb, at) return tvb(at, 2):uint() * 4294967296 + tvb(at + 2, 4):uint() end

-- From and to, positions in the stream; nil where they do not rise.
local function read_ranges(tvb, at, stop, position)
  local ranges, before = {}, position
  if (stop - at) % STREAM.range ~= 0 or stop - at > STREAM.most_ranges * STREAM.range then return nil end
  while at < stop do
    local from = position + tvb(at, 4):uint()
    local to = from + tvb(at + 4, 4):uint()
    if from <= before or to <= from then return nil end
    ranges[#ranges + 1] = { at = at, from = from, to = to }
    at, before = at + STREAM.range, to
  end
  return ranges
end

-- What a datagram is, where the bytes of its stream begin and where they end, and its ranges; nil for what is not exactly one packet
-- (endpoints/message/datagram.ts). The checksum leaves no doubt, so this holds on any port.
local function read_piece(tvb)
  local length = tvb:captured_len()
  if length < STREAM.bodyAt + STREAM.trailer or length > STREAM.longest or length < tvb:reported_len() then return nil end
  local piece = tvb(0, 1):uint() == STREAM.mark and STREAM.kinds[tvb(1, 1):uint()]
  local stop = length - STREAM.trailer
  if not piece or crc32(tvb:raw(0, stop)) ~= tvb(stop, STREAM.trailer):uint() then return nil end
  local at = STREAM.bodyAt
  for _, part in ipairs(piece.parts) do at = at + part.length end
  if at > stop or (at < stop and not piece.rest) then return nil end
  local ranges = {}
  if piece.rest == 'ranges' then ranges = read_ranges(tvb, at, stop, number_at(tvb, STREAM.bodyAt + 6)) end
  if not ranges then return nil end
  return piece, at, stop, ranges
end

-- The messages that begin where the bytes do, one after the other, as far as they are whole. Bytes of others may hold a secret's end.
local function show_messages(tvb, pinfo, tree, at, stop)
  local shown = 0
  while stop - at >= HEADER do
    local rest = tvb(at, stop - at):tvb()
    local message, total = read_header(rest, 0, stop - at)
    if not message or not total or total > stop - at then break end
    local _, flaw = read_fields(rest, message, total)
    if flaw then break end
    show_message(tvb(at, total):tvb(), pinfo, tree)
    at, shown = at + total, shown + 1
  end
  return shown
end

local function show_piece(tvb, pinfo, tree, piece, first, stop, ranges)
  local carries, label = piece.rest == 'bytes' and stop - first or 0, piece.label
  if carries > 0 then label = ('S209 data, %d bytes at %d'):format(carries, number_at(tvb, STREAM.bodyAt + 6))
  elseif piece.kind == 'data' then label = STREAM.keep_alive end
  pinfo.cols.protocol:set('NAPTLAB')
  local root = tree:add(protocol, tvb())
  root:append_text(', ' .. label)
  root:add(pieces.type, tvb(1, 1))
  root:add(pieces.id, tvb(STREAM.idAt, STREAM.bodyAt - STREAM.idAt))
  local at = STREAM.bodyAt
  for _, part in ipairs(piece.parts) do
    root:add(pieces[part.name], tvb(at, part.length))
    at = at + part.length
  end
  if carries > 0 then root:add(pieces.length, tvb(first, carries), carries) end
  for _, range in ipairs(ranges) do root:add(pieces.range, tvb(range.at, STREAM.range), ('%d to %d'):format(range.from, range.to)) end
  root:add(pieces.checksum, tvb(stop, STREAM.trailer))
  if carries == 0 or show_messages(tvb, pinfo, tree, first, stop) == 0 then write_info(pinfo, label) end
end

-- ── Datagrams, streams, and what runs inside TLS ─────────────────────────────────────────────────────────────────────────────────

local UDP = 3 -- pinfo.port_type
local stream_of = Field.new('tcp.stream')
-- What a connection's first bytes were, by the number of its stream: a later segment of TLS need not begin with a record.
local streams = {}
function protocol.init() streams = {} end

local function set_of(list)
  local set = {}
  for _, each in ipairs(list) do set[each] = true end
  return set
end
local SERVERS, DIRECT = set_of(PORTS.tcp), set_of(PORTS.direct)

local function dissect_stream(tvb, _, tree)
  local function length_of(buffer, _, offset)
    local rest = buffer:reported_length_remaining(offset)
    local _, total = read_header(buffer, offset, math.min(rest, buffer:captured_len() - offset))
    return total or rest -- where no message begins, none can be found further on
  end
  local function show(buffer, pinfo, root)
    show_message(buffer, pinfo, root)
    return buffer:captured_len()
  end
  dissect_tcp_pdus(tvb, tree, HEADER, length_of, show)
  return tvb:captured_len()
end

-- A message with at least one of its fields, and nothing wrong as far as it goes.
local function begins_message(tvb)
  local captured = tvb:captured_len()
  if captured < HEADER then return false end
  local message, total = read_header(tvb, 0, captured)
  if not total then return false end
  local spans, flaw = read_fields(tvb, message, math.min(total, captured))
  return #spans > 0 and spans[1].key ~= nil and (flaw == nil or captured < total)
end

local function content_of(tvb, pinfo)
  local stream = stream_of()
  if stream == nil then return 'messages' end
  if streams[stream.value] == nil then
    streams[stream.value] = is_tls(tvb, 0, tvb:captured_len()) and 'tls' or begins_message(tvb) and 'messages' or nil
  end
  local to_server = SERVERS[pinfo.src_port] or SERVERS[pinfo.dst_port]
  -- Others use the ports of the direct connection, too.
  local may_be_others = not to_server and (DIRECT[pinfo.src_port] or DIRECT[pinfo.dst_port])
  return streams[stream.value] or (not may_be_others and 'messages' or nil)
end

local function dissect_datagram(tvb, pinfo, tree)
  local piece, first, stop, ranges = read_piece(tvb)
  -- Others use the ports of the direct connection, too.
  local may_be_others = DIRECT[pinfo.src_port] or DIRECT[pinfo.dst_port]
  if piece then show_piece(tvb, pinfo, tree, piece, first, stop, ranges)
  elseif may_be_others and not begins_message(tvb) then return 0
  else show_message(tvb, pinfo, tree) end
  return tvb:captured_len()
end

function protocol.dissector(tvb, pinfo, tree)
  if tvb:captured_len() == 0 then return 0 end
  if pinfo.port_type == UDP then return dissect_datagram(tvb, pinfo, tree) end
  local content = content_of(tvb, pinfo)
  -- TLS is called from here: left to itself, a packet would go to whatever dissector knows the client's port (7000, 2401).
  if content == 'tls' then
    -- Each call takes one away; TLS is to stand where TCP has put this dissector, or no record could span segments.
    if pinfo.can_desegment > 0 then pinfo.can_desegment = pinfo.can_desegment + 1 end
    return Dissector.get('tls'):call(tvb, pinfo, tree)
  end
  return content == 'messages' and dissect_stream(tvb, pinfo, tree) or 0
end

inside_tls.dissector = dissect_stream

-- On other ports.
protocol:register_heuristic('udp', function(tvb, pinfo, tree)
  if read_piece(tvb) then return dissect_datagram(tvb, pinfo, tree) > 0 end
  local _, spans, flaw = read_message(tvb)
  if flaw or #spans == 0 or spans[1].key == nil then return false end
  show_message(tvb, pinfo, tree)
  return true
end)

protocol:register_heuristic('tcp', function(tvb, pinfo, tree)
  if not begins_message(tvb) then return false end
  pinfo.conversation = protocol -- what follows in the connection need not be as easy to know
  dissect_stream(tvb, pinfo, tree)
  return true
end)

inside_tls:register_heuristic('tls', function(tvb, pinfo, tree)
  if not begins_message(tvb) then return false end
  dissect_stream(tvb, pinfo, tree)
  return true
end)

for _, ports in ipairs({ PORTS.udp, PORTS.direct }) do
  for _, port in ipairs(ports) do DissectorTable.get('udp.port'):add(port, protocol) end
end
for _, ports in ipairs({ PORTS.tcp, PORTS.direct }) do
  for _, port in ipairs(ports) do
    DissectorTable.get('tcp.port'):add(port, protocol)
    DissectorTable.get('tls.port'):add(port, inside_tls)
  end
end
