"""FusionPBX's own tables, as its schema upgrade makes them: columns and a primary key.

Written from the app_config.php files of FusionPBX (master of 2026-08-21).
"""

FUSIONPBX_TABLES = """
create table v_extensions (extension_uuid uuid primary key, domain_uuid uuid, extension text,
  number_alias text, password text, accountcode text, effective_caller_id_name text,
  effective_caller_id_number text, outbound_caller_id_name text, outbound_caller_id_number text,
  emergency_caller_id_name text, emergency_caller_id_number text, directory_first_name text,
  directory_last_name text, directory_visible boolean, directory_exten_visible boolean,
  max_registrations text, limit_max text, limit_destination text, missed_call_app text,
  missed_call_data text, user_context text, toll_allow text, call_timeout numeric, call_group
  text, call_screen_enabled boolean, user_record text, hold_music text, auth_acl text, cidr
  text, sip_force_contact text, nibble_account text, sip_force_expires numeric, mwi_account
  text, sip_bypass_media text, unique_id numeric, dial_string text, dial_user text, dial_domain
  text, do_not_disturb boolean, forward_all_destination text, forward_all_enabled boolean,
  forward_busy_destination text, forward_busy_enabled boolean, forward_no_answer_destination
  text, forward_no_answer_enabled boolean, forward_user_not_registered_destination text,
  forward_user_not_registered_enabled boolean, follow_me_uuid uuid, follow_me_enabled boolean,
  follow_me_destinations text, extension_language text, extension_dialect text, extension_voice
  text, extension_type text, enabled boolean, description text, absolute_codec_string text,
  force_ping boolean, insert_date timestamptz, insert_user uuid, update_date timestamptz,
  update_user uuid);
create table v_ring_groups (domain_uuid uuid, ring_group_uuid uuid primary key, ring_group_name
  text, ring_group_extension text, ring_group_greeting text, ring_group_exit_key text,
  ring_group_call_timeout numeric, ring_group_forward_destination text,
  ring_group_forward_enabled boolean, ring_group_caller_id_name text,
  ring_group_caller_id_number text, ring_group_cid_name_prefix text,
  ring_group_cid_number_prefix text, ring_group_strategy text, ring_group_timeout_app text,
  ring_group_timeout_data text, ring_group_distinctive_ring text, ring_group_ringback text,
  ring_group_call_screen_enabled boolean, ring_group_call_forward_enabled boolean,
  ring_group_follow_me_enabled boolean, ring_group_missed_call_app text,
  ring_group_missed_call_data text, ring_group_context text, ring_group_enabled boolean,
  ring_group_description text, dialplan_uuid uuid, ring_group_forward_toll_allow text,
  ring_group_wait_announcement text, ring_group_wait_interval numeric, insert_date timestamptz,
  insert_user uuid, update_date timestamptz, update_user uuid);
create table v_ring_group_destinations (ring_group_destination_uuid uuid primary key,
  domain_uuid uuid, ring_group_uuid uuid, destination_number text, destination_delay numeric,
  destination_timeout numeric, destination_enabled boolean, destination_prompt numeric,
  insert_date timestamptz, insert_user uuid, update_date timestamptz, update_user uuid,
  destination_description text);
create table v_call_center_queues (id serial, call_center_queue_uuid uuid primary key,
  domain_uuid uuid, dialplan_uuid uuid, v_id text, queue_name text, queue_extension text,
  queue_greeting text, queue_strategy text, queue_moh_sound text, queue_record_template text,
  queue_language text, queue_dialect text, queue_voice text, queue_limit text,
  queue_time_base_score text, queue_time_base_score_sec numeric, queue_max_wait_time numeric,
  queue_max_wait_time_with_no_agent numeric, queue_max_wait_time_with_no_agent_time_reached
  numeric, queue_tier_rules_apply boolean, queue_tier_rule_wait_second numeric,
  queue_tier_rule_no_agent_no_wait boolean, queue_timeout_action text,
  queue_discard_abandoned_after numeric, queue_abandoned_resume_allowed boolean,
  queue_tier_rule_wait_multiply_level boolean, queue_cid_prefix text,
  queue_outbound_caller_id_name text, queue_outbound_caller_id_number text,
  queue_announce_position text, queue_announce_sound text, queue_announce_frequency numeric,
  queue_cc_exit_keys text, queue_email_address text, queue_context text, queue_description text,
  insert_date timestamptz, insert_user uuid, update_date timestamptz, update_user uuid);
create table v_ivr_menus (ivr_menu_uuid uuid primary key, domain_uuid uuid, dialplan_uuid uuid,
  v_id text, ivr_menu_name text, ivr_menu_extension text, ivr_menu_parent_uuid uuid,
  ivr_menu_language text, ivr_menu_dialect text, ivr_menu_voice text, ivr_menu_greet_long text,
  ivr_menu_greet_short text, ivr_menu_invalid_sound text, ivr_menu_exit_sound text,
  ivr_menu_pin_number text, ivr_menu_confirm_macro text, ivr_menu_confirm_key text,
  ivr_menu_tts_engine text, ivr_menu_tts_voice text, ivr_menu_confirm_attempts numeric,
  ivr_menu_timeout numeric, ivr_menu_exit_app text, ivr_menu_exit_data text,
  ivr_menu_inter_digit_timeout numeric, ivr_menu_max_failures numeric, ivr_menu_max_timeouts
  numeric, ivr_menu_digit_len numeric, ivr_menu_direct_dial boolean, ivr_menu_ringback text,
  ivr_menu_cid_prefix text, ivr_menu_context text, ivr_menu_enabled boolean,
  ivr_menu_description text, insert_date timestamptz, insert_user uuid, update_date timestamptz,
  update_user uuid);
create table v_voicemails (domain_uuid uuid, voicemail_uuid uuid primary key, voicemail_id text,
  voicemail_password text, voicemail_tutorial boolean, greeting_id numeric,
  voicemail_alternate_greet_id text, voicemail_recording_instructions boolean,
  voicemail_recording_options boolean, voicemail_mail_to text, voicemail_sms_to text,
  voicemail_transcription_enabled boolean, voicemail_transcription_prompt_enabled boolean,
  voicemail_transcription_prompt text, voicemail_attach_file text, voicemail_file text,
  voicemail_local_after_email boolean, voicemail_local_after_forward boolean, voicemail_enabled
  boolean, voicemail_description text, alternate_voicemail_destination text,
  alternate_voicemail_enabled boolean, voicemail_name_base64 text, insert_date timestamptz,
  insert_user uuid, update_date timestamptz, update_user uuid);
create table v_follow_me (domain_uuid uuid, follow_me_uuid uuid primary key, cid_name_prefix
  text, cid_number_prefix text, call_prompt text, dial_string text, follow_me_enabled boolean,
  follow_me_ignore_busy boolean, insert_date timestamptz, insert_user uuid, update_date
  timestamptz, update_user uuid);
create table v_follow_me_destinations (domain_uuid uuid, follow_me_uuid uuid,
  follow_me_destination_uuid uuid primary key, follow_me_destination text, follow_me_delay
  numeric, follow_me_timeout numeric, follow_me_prompt text, follow_me_order numeric,
  insert_date timestamptz, insert_user uuid, update_date timestamptz, update_user uuid);
create table v_default_settings (default_setting_uuid uuid primary key, app_uuid uuid,
  default_setting_category text, default_setting_subcategory text, default_setting_name text,
  default_setting_value text, default_setting_order numeric, default_setting_enabled boolean,
  default_setting_description text, insert_date timestamptz, insert_user uuid, update_date
  timestamptz, update_user uuid);
"""
