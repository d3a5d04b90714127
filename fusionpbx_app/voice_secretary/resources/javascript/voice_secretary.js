// The forms of secretaries and providers: shows what fits, counts, estimates, plays a voice, and asks
// the controller what is wrong with a field before anything is saved. Works without a mouse.
(function () {
	'use strict';
	const page = window.voice_secretary;
	const form = document.getElementById('frm');
	if (!page || !form) { return; }
	const field = (name) => document.getElementById(name);
	const say = (key, values) => Object.entries(values || {}).reduce(
		(text, pair) => text.replace('{' + pair[0] + '}', pair[1]), (page.say || {})['script-' + key] || key);

	const ask = window.voice_ask;

	// --- what fits -------------------------------------------------------------------------------
	const kind = () => {
		const row = field('voice_realtime_provider_uuid');
		const own = row && page.rows[row.value];
		const select = field('realtime_provider');
		return own || (select && select.value) || 'openai';
	};
	const known = () => (page.registry || {})[kind()] || { models: {}, transcription: {}, voices: {}, features: [] };
	// Columns that say something to a provider only if it can do this.
	const NEEDS = { noise_reduction: 'noise_reduction', vad_idle_timeout_ms: 'minds_silence' };

	function suggest(name, choices) {
		const list = field('list_' + name);
		if (!list) { return; }
		list.replaceChildren(...Object.entries(choices || {}).map(([id, more]) => {
			const option = document.createElement('option');
			option.value = id;
			if (more) { option.label = id + ' (' + more + ')'; }
			return option;
		}));
	}

	function fits(row) {
		const mode = form.querySelector('input[name=processing_mode]:checked');
		if (row.dataset.modes && mode && !row.dataset.modes.split(' ').includes(mode.value)) { return false; }
		if (row.dataset.kinds && !row.dataset.kinds.split(' ').includes(kind())) { return false; }
		const when = row.dataset.when;
		if (when === 'no-provider') { return field('voice_realtime_provider_uuid').value === ''; }
		if (when === 'server' || when === 'semantic') { return field('vad_mode').value === when; }
		const needs = NEEDS[row.id.replace('row_', '')];
		return !needs || !known().features.length || known().features.includes(needs);
	}

	function refit() {
		suggest('model', known().models);
		suggest('voice_id', known().voices);
		suggest('default_voice_id', known().voices);
		suggest('transcription_model', known().transcription);
		const features = field('features');
		if (features) {
			features.replaceChildren(...(known().features || []).map((name) => {
				const one = document.createElement('span');
				one.textContent = (page.say || {})['script-feature_' + name] || name.replaceAll('_', ' ');
				return one;
			}));
		}
		const key = field('credential');
		if (key) { key.placeholder = (known().stages || []).filter(Boolean).map((stage) => stage + '=…').join(','); }
		for (const row of form.querySelectorAll('tr.vs_row')) { row.hidden = !fits(row); }
	}

	// --- what is typed ---------------------------------------------------------------------------
	function count(about) {
		const length = [...field(about.dataset.count).value].length;
		about.textContent = say('counted', { characters: length, tokens: Math.ceil(length / 4) });
	}
	for (const about of form.querySelectorAll('[data-count]')) {
		field(about.dataset.count).addEventListener('input', () => count(about));
		count(about);
	}
	for (const range of form.querySelectorAll('.vs_range')) {
		const number = field(range.dataset.for);
		range.addEventListener('input', () => { number.value = range.value; judge_soon(); });
		number.addEventListener('input', () => { range.value = number.value.replace(',', '.'); });
	}

	// --- what is wrong ---------------------------------------------------------------------------
	let due = 0, asked = 0;
	function judge_soon() {
		if (!form.dataset.subject) { return; }
		clearTimeout(due);
		due = setTimeout(judge, 600);
	}
	async function judge() {
		const mine = ++asked;
		const body = {};
		for (const [name, value] of new FormData(form)) {
			if (typeof value === 'string' && name !== 'action' && name !== 'credential') { body[name] = value; }
		}
		let told;
		try { told = await ask('judge_' + form.dataset.subject, body); } catch (error) { return; }
		if (mine !== asked || !told || !told.fields) { return; }
		for (const place of form.querySelectorAll('.vs_error')) {
			const name = place.id.replace('error_', '');
			const touched = field(name) || place;
			const text = told.fields[name] || '';
			if (text && touched.matches('[required]') && !touched.value && !form.dataset.sent) { continue; }
			place.textContent = text;
			if (text) { touched.setAttribute('aria-invalid', 'true'); } else { touched.removeAttribute('aria-invalid'); }
		}
		form.dataset.judged = String(mine);
	}
	form.addEventListener('change', () => { refit(); judge_soon(); estimate_soon(); });

	// --- what it costs ---------------------------------------------------------------------------
	let estimate_due = 0;
	function estimate_soon() {
		clearTimeout(estimate_due);
		estimate_due = setTimeout(estimate, 300);
	}
	async function estimate() {
		const place = field('estimate');
		if (!place) { return; }
		const model = field('model').value || Object.keys(known().models || {})[0] || '';
		let told;
		try {
			told = await ask('estimate', { provider: kind(), model: model, row: field('voice_realtime_provider_uuid').value, calls: field('estimate_calls').value, minutes: field('estimate_minutes').value });
		} catch (error) { return; }
		place.textContent = told.ok ? say('estimate', { minute: told.per_minute, month: told.per_month, model: told.model }) : (told.said || '');
	}
	for (const name of ['estimate_calls', 'estimate_minutes', 'model']) {
		if (field(name) && field('estimate')) { field(name).addEventListener('input', estimate_soon); }
	}

	// --- the voice -------------------------------------------------------------------------------
	const button = field('btn_preview');
	if (button) {
		button.addEventListener('click', async () => {
			const said = field('preview_said'), player = field('preview');
			button.disabled = true;
			said.textContent = say('preview_wait');
			const row = field('voice_realtime_provider_uuid');
			const voice = field('voice_id') || field('default_voice_id');
			const words = field('first_message');
			try {
				const told = await ask('preview', { row: row ? row.value : page.id, kind: kind(), voice: voice.value, text: (words && words.value) || say('preview_text') });
				if (told instanceof Blob) {
					player.src = URL.createObjectURL(told);
					player.hidden = false;
					said.textContent = '';
					player.play().catch(() => {});
				} else {
					said.textContent = told.said || say('failed');
				}
			} catch (error) { said.textContent = say('failed'); }
			button.disabled = false;
		});
	}

	// --- transfers and hours ---------------------------------------------------------------------
	const rules = field('transfer_rules');
	if (rules && rules.tBodies) {
		let next = rules.tBodies[0].rows.length;
		field('btn_add_rule').addEventListener('click', () => {
			const made = document.createElement('tbody');
			made.innerHTML = field('rule_template').innerHTML.replaceAll('[__]', '[' + next++ + ']');
			const row = rules.tBodies[0].appendChild(made.rows[0]);
			row.querySelector('input').focus();
		});
		rules.addEventListener('click', (event) => {
			const remove = event.target.closest('.vs_remove');
			if (remove) { remove.closest('tr').remove(); field('btn_add_rule').focus(); judge_soon(); }
		});
		rules.addEventListener('change', (event) => {
			if (event.target.matches('.vs_destination')) {
				const other = event.target.parentElement.querySelector('.vs_other');
				other.hidden = event.target.value !== '_other';
				const department = event.target.closest('tr').querySelector('input');
				const chosen = event.target.selectedOptions[0];
				if (department.value === '' && chosen && chosen.text.includes(' – ')) { department.value = chosen.text.split(' – ')[1]; }
			}
		});
	}
	const always = field('hours_always');
	if (always) { always.addEventListener('change', () => { field('hours').hidden = always.value === 'true'; }); }

	refit();
	estimate_soon();
}());
