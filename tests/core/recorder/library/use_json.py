"""Drives json with its C parts switched off, so that all of it is Python."""

import json
import json.decoder
import json.encoder
import json.scanner

json.decoder.scanstring = json.decoder.py_scanstring
json.scanner.make_scanner = json.scanner.py_make_scanner
json.encoder.c_make_encoder = None
json.encoder.encode_basestring_ascii = json.encoder.py_encode_basestring_ascii
json.encoder.encode_basestring = json.encoder.py_encode_basestring


class Strict(json.JSONEncoder):
    def default(self, value):
        if isinstance(value, set):
            return sorted(value)
        return super().default(value)


document = {
    "name": "é\u2028\ud800",
    "list": [1, 2.5, -3e10, True, None, [], {}],
    "nested": {"a": {"b": [{"c": "d\n\t\"\\"}]}},
    "big": 2**70,
    "float": [0.1, float("inf"), 1e-7],
}
text = json.dumps(document, indent=2, sort_keys=True, check_circular=False)
again = json.loads(text)
print(again == document, len(text))
decoder = json.decoder.JSONDecoder(object_pairs_hook=lambda pairs: pairs, parse_float=str)
decoder.parse_string = json.decoder.py_scanstring
decoder.scan_once = json.scanner.py_make_scanner(decoder)
print(decoder.decode('{"a": [1, 2.50, "x\\u00e9\\ud83d\\ude00"], "b": {}, "c": -Infinity}'))
for bad in ("", "[1,", '{"a" 1}', '"\\x"', "[1 2]", '{"a": 1,}', "nul", '"\x01"', '"\\ud8"'):
    try:
        decoder.decode(bad)
    except json.JSONDecodeError as error:
        print(error.msg, error.pos, error.lineno)
print(Strict(separators=(",", ":"), check_circular=False).encode({"s": {3, 1}, 1: (1, 2), None: False}))
try:
    Strict(check_circular=False).encode([object])
except TypeError as error:
    print(error)
