-- What FusionPBX's app.lua does for a mailbox: answers, gives a tone, keeps what the caller says.
local domain_name, number = argv[1], argv[2]
session:answer()
session:sleep(500)
session:execute("playback", "tone_stream://%(500,0,440)")
local folder = session:getVariable("storage_dir") .. "/voicemail/default/" .. domain_name .. "/" .. number
freeswitch.API():executeString("system mkdir -p " .. folder)
session:recordFile(folder .. "/msg_" .. session:get_uuid() .. ".wav", 30, 200, 4)
