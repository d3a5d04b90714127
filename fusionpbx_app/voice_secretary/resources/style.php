<?php

//what FusionPBX's theme does not have; colours lean on the theme's own
	if (!isset($text)) {
		exit;
	}

?>
<style>
	.vs_section { border: 0; margin: 0 0 6px 0; }
	.vs_section > summary { cursor: pointer; padding: 9px 8px; font-size: 15px; border-bottom: 1px solid rgba(128,128,128,.35); }
	.vs_section > summary:focus-visible, .vs_mode:focus-within { outline: 2px solid #2a6ebb; }
	.vs_about { color: #5c5c5c; font-size: 11px; line-height: 1.45; margin-top: 3px; max-width: 760px; }
	.vs_error { color: #b00020; font-weight: bold; font-size: 12px; line-height: 1.4; }
	.vs_error:empty { display: none; }
	[aria-invalid=true].formfld { border-color: #b00020; }
	.vs_notice { padding: 10px 14px; margin: 0 0 12px 0; border-left: 4px solid #b26a00; background: #fff6e5; color: #3d2c00; }
	.vs_notice.vs_bad { border-left-color: #b00020; background: #fdecee; color: #48000d; }
	.vs_notice.vs_good { border-left-color: #2e7d32; background: #edf7ed; color: #12370f; }
	.vs_lines { white-space: pre-line; }
	.vs_send { margin: 8px 0; }
	.vs_passage { padding: 10px 14px; margin: 0 0 8px 0; max-width: 900px; border: 1px solid rgba(128,128,128,.3); border-radius: 6px; background: #fff; color: #222; overflow-wrap: anywhere; }
	.vs_empty { padding: 30px; text-align: center; color: #5c5c5c; }
	.vs_modes { border: 0; padding: 0; margin: 0; display: flex; flex-wrap: wrap; gap: 8px; }
	.vs_mode { display: block; flex: 1 1 190px; max-width: 260px; padding: 9px 11px; border: 1px solid rgba(128,128,128,.5); border-radius: 5px; cursor: pointer; white-space: normal; }
	.vs_mode:has(:checked) { border-color: #2a6ebb; box-shadow: inset 0 0 0 1px #2a6ebb; }
	.vs_mode span { display: block; font-size: 11px; color: #5c5c5c; margin-top: 3px; }
	.vs_features span { display: inline-block; padding: 1px 8px; margin: 2px 5px 2px 0; border-radius: 9px; font-size: 11px; background: #e3edf8; color: #123a66; }
	.vs_features span.vs_no { background: #eee; color: #5c5c5c; text-decoration: line-through; }
	.vs_area { width: 100% !important; max-width: 760px; resize: vertical; font-size: 13px; }
	textarea.formfld.vs_area { height: auto !important; }
	.card h3 { font-size: 15px; font-weight: bold; margin: 16px 0 6px 0; }
	.card > h3:first-child { margin-top: 0; }
	.vs_range { width: 220px; vertical-align: middle; accent-color: #2a6ebb; }
	.vs_rules td, .vs_hours td, .vs_hours th { padding: 2px 6px 2px 0; font-weight: normal; text-align: left; }
	.vs_rules th { font-size: 11px; text-align: left; }
	.vs_time { width: 62px !important; min-width: 62px !important; }
	.vs_estimate label { margin-right: 12px; font-weight: normal; }
	.vs_cards { display: flex; flex-wrap: wrap; gap: 14px; margin-bottom: 14px; }
	.vs_card { flex: 1 1 150px; padding: 12px 16px; border: 1px solid rgba(128,128,128,.3); border-radius: 6px; background: #fff; color: #222; }
	.vs_card b.vs_big { display: block; font-size: 22px; font-weight: 500; line-height: 1.25; }
	.vs_card small { color: #5c5c5c; font-size: 12px; display: block; }
	.vs_meter { height: 12px; border-radius: 6px; background: #e4e4e4; position: relative; overflow: hidden; margin: 6px 0; max-width: 420px; }
	.vs_meter i { display: block; height: 100%; background: #2e7d32; }
	.vs_meter.vs_warning i { background: #b26a00; }
	.vs_meter.vs_exhausted i { background: #b00020; }
	.vs_meter u { position: absolute; top: 0; bottom: 0; width: 2px; background: #222; }
	.vs_good_text { color: #1b5e20; } .vs_bad_text { color: #b00020; }
	.vs_turns { max-width: 900px; }
	.vs_turn { margin: 7px 0; padding: 8px 12px; border-radius: 9px; max-width: 78%; width: fit-content; background: #eef1f4; color: #1a1a1a; }
	.vs_turn.vs_agent { margin-left: auto; background: #dfecfa; }
	.vs_turn small { display: block; color: #4d4d4d; font-size: 11px; }
	.vs_turn.vs_cut { border-right: 3px dotted #b26a00; }
	.vs_bar { display: flex; height: 15px; border-radius: 3px; overflow: hidden; background: #f1f1f1; min-width: 40px; }
	.vs_bar i { display: block; height: 100%; }
	.vs_network { background: #8da9c4; } .vs_model { background: #2a6ebb; } .vs_buffer { background: #b26a00; } .vs_playout { background: #5f8a5f; }
	.vs_key i { display: inline-block; width: 11px; height: 11px; margin: 0 4px 0 12px; }
	.vs_steps { list-style: none; padding: 0; margin: 0; max-width: 900px; counter-reset: step; }
	.vs_steps > li { counter-increment: step; padding: 12px 14px 12px 54px; position: relative; border-bottom: 1px solid rgba(128,128,128,.25); }
	.vs_steps > li::before { content: counter(step); position: absolute; left: 12px; top: 12px; width: 26px; height: 26px; border-radius: 50%; text-align: center; line-height: 26px; background: #5c5c5c; color: #fff; }
	.vs_steps > li.vs_done::before { content: '✓'; background: #2e7d32; }
	.vs_steps > li.vs_failed::before { content: '!'; background: #b00020; }
	.right { text-align: right !important; }
	table.vs_facts td, table.vs_facts th { padding: 3px 14px 3px 0; text-align: left; vertical-align: top; font-weight: normal; border: 0; }
	table.vs_facts th { color: #5c5c5c; white-space: nowrap; }
</style>
