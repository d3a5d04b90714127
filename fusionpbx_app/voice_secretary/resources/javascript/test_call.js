// The page of test calls: asks for an address to talk to, and has calls made that need no browser's sound.
(function () {
	'use strict';
	const page = window.voice_secretary;
	const element = (id) => document.getElementById(id);
	const LOOK_MS = 1000;

	const ask = window.voice_ask;
	window.voice_talk = { sound: 'resources/javascript/talk_sound.js', address: () => ask('talk'), say: page.say };

	ask('check').then((told) => {
		if (told.ok && !(told.doubts || []).length) { return; }
		const place = element('check');
		place.textContent = [told.said].concat(told.doubts || []).filter(Boolean).join(' · ');
		place.hidden = false;
	}).catch(() => {});

	function report(told) {
		if (told.problem) { return page.say.test_failed + ' ' + (told.problem.detail || ''); }
		if (told.telephone) {
			return told.telephone.answered ? page.say.rung : page.say.not_rung + ' (' + told.telephone.cause + ')';
		}
		const one = told.simulated || {};
		const numbers = [page.say.first_sound.replace('{ms}', one.first_sound_ms === null ? '–' : Math.round(one.first_sound_ms)), page.say.gaps.replace('{count}', (one.gaps_ms || []).length)];
		return one.passed ? page.say.passed + ' ' + numbers.join(' ') : page.say.test_failed + ' ' + (one.reasons || []).join('; ');
	}

	async function run(button, place, more) {
		button.disabled = true;
		place.className = '';
		place.textContent = page.say.test_running;
		try {
			let told = await ask('test_call', more);
			const test = told.test;
			while (told.ok && (!told.state || told.state === 'running')) {
				await new Promise((done) => setTimeout(done, LOOK_MS));
				told = await ask('test_result', { test: test });
			}
			place.textContent = told.ok ? report(told) : told.said;
			const good = told.ok && ((told.simulated || {}).passed || (told.telephone || {}).answered);
			place.className = good ? 'vs_good_text' : 'vs_bad_text';
		} catch (error) { place.textContent = page.say.failed; }
		button.disabled = false;
	}
	element('btn_simulate').addEventListener('click', () => run(element('btn_simulate'), element('simulated'), {}));
	element('btn_ring').addEventListener('click', () => run(element('btn_ring'), element('rung'), { ring: element('ring').value }));
}());
