<?php

	$input_toggle_style_switch = true;
	echo "<!DOCTYPE html>\n<html lang='".escape(substr($_SESSION['language'] ?? 'en-us', 0, 2))."'>\n<head><meta charset='utf-8'><title>".escape($document['title'] ?? '')."</title><link rel='icon' href='data:,'>";
?>
<style>
	body { font-family: Arial, sans-serif; font-size: 13px; margin: 18px; color: #222; background: #f7f7f7; }
	.card { background: #fff; border: 1px solid #ddd; border-radius: 5px; padding: 15px; }
	.heading { float: left; font-size: 17px; } .count { display: inline-block; margin-left: 8px; } .actions { float: right; } .inline { display: inline; }
	.vncell, .vncellreq { background: #f2f4f8; padding: 8px; } .vncellreq { font-weight: bold; } .vtable { padding: 8px; }
	table.list { width: 100%; border-collapse: collapse; } .list th, .list td { padding: 6px; border-bottom: 1px solid #ddd; text-align: left; }
	.formfld, .txt { padding: 5px; border: 1px solid #949494; border-radius: 3px; min-width: 220px; } a { color: #1b5aa0; }
</style>
<script>
	const list_action_set = (action) => { document.getElementById('action').value = action; };
	const list_form_submit = (form) => { document.getElementById(form).submit(); };
	const list_self_check = (box) => { document.getElementById(box).checked = true; };
	const checkbox_on_change = () => { for (const one of ['copy', 'toggle', 'delete']) { const b = document.getElementById('btn_' + one); if (b) { b.style.display = ''; } } };
	const list_all_toggle = () => {};
	const modal_open = (id) => { document.getElementById(id).hidden = false; };
	const modal_close = () => { for (const one of document.querySelectorAll('.thin_modal')) { one.hidden = true; } };
</script>
</head>
<body><main>
