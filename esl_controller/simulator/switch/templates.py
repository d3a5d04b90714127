"""Channel variables of a call from a SIP phone, by the moment they appear. Pure.

Order and names as in the channel data of a call on a profile of mod_sofia, codec PCMU; the values
in braces are filled in from the call. What a real switch shows for one call is modelled here so
that messages have the real size and an application meets every header it would meet.
"""

from __future__ import annotations

AT_START = """
direction={direction}
uuid={uuid}
session_id={session_id}
sip_from_user={caller_number}
sip_from_port={sip_port}
sip_from_uri={caller_number}@127.0.0.1:{sip_port}
sip_from_host=127.0.0.1
video_media_flow=disabled
audio_media_flow=disabled
text_media_flow=disabled
channel_name={channel_name}
sip_call_id={sip_call_id}
sip_local_network_addr=127.0.0.1
sip_network_ip=127.0.0.1
sip_network_port={sip_port}
sip_invite_stamp={created_us}
sip_received_ip=127.0.0.1
sip_received_port={sip_port}
sip_via_protocol=udp
sip_from_user_stripped={caller_number}
sip_from_tag={tag}
sofia_profile_name=internal
sofia_profile_url=sip:mod_sofia@127.0.0.1:5080
recovery_profile_name=internal
sip_full_via=SIP/2.0/UDP 127.0.0.1:{sip_port};rport={sip_port};branch=z9hG4bK{tag}
sip_from_display={caller_name}
sip_full_from="{caller_name}" <sip:{caller_number}@127.0.0.1:{sip_port}>;tag={tag}
sip_full_to=<sip:{destination}@127.0.0.1:5080>
sip_req_user={destination}
sip_req_port=5080
sip_req_uri={destination}@127.0.0.1:5080
sip_req_host=127.0.0.1
sip_to_user={destination}
sip_to_port=5080
sip_to_uri={destination}@127.0.0.1:5080
sip_to_host=127.0.0.1
sip_contact_user={caller_number}
sip_contact_port={sip_port}
sip_contact_uri={caller_number}@127.0.0.1:{sip_port}
sip_contact_host=127.0.0.1
rtp_use_codec_string=OPUS,G722,PCMU,PCMA,L16
sip_user_agent=simulated-phone
sip_via_host=127.0.0.1
sip_via_port={sip_port}
sip_via_rport={sip_port}
max_forwards=70
switch_r_sdp=v=0\\r\\no=- {rtp_port} 1 IN IP4 127.0.0.1\\r\\ns=-\\r\\n\
c=IN IP4 127.0.0.1\\r\\nt=0 0\\r\\n\
m=audio {rtp_port} RTP/AVP {payload_type} 101\\r\\na=rtpmap:{payload_type} {codec}/{rate_hz}\\r\\n\
a=rtpmap:101 telephone-event/8000\\r\\na=fmtp:101 0-16\\r\\na=ptime:{ptime_ms}\\r\\n
ep_codec_string=CORE_PCM_MODULE.{codec}@{rate_hz}h@{ptime_ms}i@{bit_rate}b
endpoint_disposition=DELAYED NEGOTIATION
domain_name={domain_name}
domain_uuid={domain_uuid}
DP_MATCH=ARRAY::{destination}|:{destination}
call_uuid={uuid}
"""

WITH_MEDIA = """
rtp_use_codec_string=OPUS,G722,PCMU,PCMA,L16
remote_video_media_flow=inactive
remote_text_media_flow=inactive
remote_audio_media_flow=sendrecv
audio_media_flow=sendrecv
rtp_audio_recv_pt={payload_type}
rtp_use_codec_name={codec}
rtp_use_codec_rate={rate_hz}
rtp_use_codec_ptime={ptime_ms}
rtp_use_codec_channels=1
rtp_last_audio_codec_string={codec}@{rate_hz}h@{ptime_ms}i@1c
read_codec={codec}
original_read_codec={codec}
read_rate={rate_hz}
original_read_rate={rate_hz}
write_codec={codec}
write_rate={rate_hz}
dtmf_type=rfc2833
local_media_ip=127.0.0.1
local_media_port={local_rtp_port}
advertised_media_ip=127.0.0.1
rtp_use_timer_name=soft
rtp_use_pt={payload_type}
rtp_use_ssrc={ssrc}
rtp_2833_send_payload=101
rtp_2833_recv_payload=101
remote_media_ip=127.0.0.1
remote_media_port={rtp_port}
endpoint_disposition=EARLY MEDIA
"""

WITH_LOCAL_SDP = """
rtp_local_sdp_str=v=0\\r\\no=FreeSWITCH {ssrc} {ssrc} IN IP4 127.0.0.1\\r\\ns=FreeSWITCH\\r\\n\
c=IN IP4 127.0.0.1\\r\\nt=0 0\\r\\nm=audio {local_rtp_port} RTP/AVP {payload_type} 101\\r\\n\
a=rtpmap:{payload_type} {codec}/{rate_hz}\\r\\na=rtpmap:101 telephone-event/8000\\r\\n\
a=fmtp:101 0-15\\r\\na=ptime:{ptime_ms}\\r\\na=sendrecv\\r\\n
"""

AFTER_ACK = """
sip_to_tag={tag}
sip_cseq=1
sip_full_to=<sip:{destination}@127.0.0.1:5080>;tag={tag}
"""

AFTER_BYE = """
sip_term_status=200
proto_specific_hangup_cause=sip:200
sip_term_cause={q850}
"""

AFTER_CANCEL = """
sip_hangup_disposition=recv_cancel
sip_invite_failure_status=487
sip_invite_failure_phrase=CANCEL
sip_term_status=487
proto_specific_hangup_cause=sip:487
sip_term_cause=487
"""

AT_HANGUP = """
bridge_epoch=0
bridge_uepoch=0
last_hold_epoch=0
last_hold_uepoch=0
hold_accum_seconds=0
hold_accum_usec=0
hold_accum_ms=0
resurrect_epoch=0
resurrect_uepoch=0
progress_epoch=0
progress_uepoch=0
"""

RTP_STATISTICS = """
rtp_audio_in_raw_bytes={in_bytes}
rtp_audio_in_media_bytes={in_bytes}
rtp_audio_in_packet_count={in_packets}
rtp_audio_in_media_packet_count={in_packets}
rtp_audio_in_skip_packet_count=0
rtp_audio_in_jitter_packet_count=0
rtp_audio_in_dtmf_packet_count=0
rtp_audio_in_cng_packet_count=0
rtp_audio_in_flush_packet_count=0
rtp_audio_in_largest_jb_size=0
rtp_audio_in_jitter_min_variance=0.00
rtp_audio_in_jitter_max_variance=0.00
rtp_audio_in_jitter_loss_rate=0.00
rtp_audio_in_jitter_burst_rate=0.00
rtp_audio_in_mean_interval=20.00
rtp_audio_in_flaw_total=0
rtp_audio_in_quality_percentage=100.00
rtp_audio_in_mos=4.50
rtp_audio_out_raw_bytes={out_bytes}
rtp_audio_out_media_bytes={out_bytes}
rtp_audio_out_packet_count={out_packets}
rtp_audio_out_media_packet_count={out_packets}
rtp_audio_out_skip_packet_count=0
rtp_audio_out_dtmf_packet_count=0
rtp_audio_out_cng_packet_count=0
rtp_audio_rtcp_packet_count=0
rtp_audio_rtcp_octet_count=0
"""


def fill(template: str, values: dict[str, str]) -> list[tuple[str, str]]:
    """Names and values of `template` with the call's own `values` put in."""
    pairs = (line.partition("=") for line in template.strip().split("\n"))
    return [(name, value.replace("\\r\\n", "\r\n").format_map(values)) for name, _, value in pairs]
