-- What mod_lua gives a script; FusionPBX installs with Lua 5.2 to 5.4.
std = "lua52"
read_globals = { "freeswitch", "session", "argv" }
max_line_length = 100
