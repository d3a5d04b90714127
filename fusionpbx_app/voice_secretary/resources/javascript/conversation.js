// One conversation: its transcript grows while the call runs, by server-sent events from the worker
// where nginx leads browsers there, else by asking the page's own server every two seconds.
(function () {
	'use strict';
	const page = window.voice_secretary;
	const turns = document.getElementById('turns');
	const live = document.getElementById('live');
	const POLL_MS = 2000;

	const ask = window.voice_ask;

	function show(turn) {
		const agent = turn.role !== 'user';
		let row = turns.querySelector("[data-number='" + Number(turn.turn_number) + "']");
		if (!row) {
			row = document.createElement('div');
			row.dataset.number = String(Number(turn.turn_number));
			const after = [...turns.children].find((one) => Number(one.dataset.number) > Number(turn.turn_number));
			turns.insertBefore(row, after || null);
		}
		const cut = turn.interrupted === true || turn.interrupted === 'true';
		row.className = 'vs_turn' + (agent ? ' vs_agent' : '') + (cut ? ' vs_cut' : '');
		const about = document.createElement('small');
		about.textContent = (agent ? page.say.agent : page.say.caller)
			+ (turn.total_ms === null || turn.total_ms === undefined ? '' : ' · ' + turn.total_ms + ' ms')
			+ (cut ? ' · ' + page.say.interrupted : '');
		row.replaceChildren(about, document.createTextNode(turn.content || page.say.unclear));
		row.scrollIntoView({ block: 'nearest' });
	}

	function ended() {
		if (live) { live.textContent = page.say.ended; }
		setTimeout(() => location.reload(), 1500);
	}

	async function poll() {
		try {
			const told = await ask('turns');
			if (!told.ok) { live.textContent = told.said; return; }
			told.turns.forEach(show);
			if (told.ended) { ended(); return; }
		} catch (error) { /* the next look may work */ }
		setTimeout(poll, POLL_MS);
	}

	function fall_back() {
		live.textContent = page.say.polling;
		poll();
	}

	async function watch() {
		let told;
		try { told = await ask('watch'); } catch (error) { fall_back(); return; }
		if (!told.ok) { fall_back(); return; }
		const events = new EventSource(told.url);
		let came = false, over = false;
		for (const name of ['conversation', 'turn', 'end']) {
			events.addEventListener(name, (event) => {
				came = true;
				if (name === 'turn') { show(JSON.parse(event.data)); }
				if (name === 'end') { over = true; events.close(); ended(); }
			});
		}
		events.addEventListener('error', () => {
			events.close();
			if (over) { return; }
			// A ticket lasts a minute: a connection that was good is made again with a new one.
			if (came) { setTimeout(watch, 500); } else { fall_back(); }
		});
	}
	if (page.running) { watch(); }

	function act(id, what, more, sure) {
		const button = document.getElementById(id);
		if (!button) { return; }
		button.addEventListener('click', async () => {
			if (sure && !confirm(sure)) { return; }
			button.disabled = true;
			try { live.textContent = (await ask(what, more())).said; } catch (error) { live.textContent = page.say.failed; }
			button.disabled = false;
		});
	}
	const value = (id) => document.getElementById(id).value;
	act('btn_hang_up', 'hang_up', () => ({}), page.say.sure);
	act('btn_tell', 'tell', () => ({ text: value('whisper'), after: document.getElementById('respond').checked ? 'respond' : '' }));
	act('btn_listen', 'listen', () => ({ ring: value('my_extension') }));
	act('btn_takeover', 'takeover', () => ({ ring: value('my_extension') }), page.say.sure_takeover);

	// --- the recording ---------------------------------------------------------------------------
	const player = document.getElementById('player');
	if (!player) { return; }
	for (const seek of document.querySelectorAll('.vs_seek')) {
		seek.addEventListener('click', () => {
			player.currentTime = Number(seek.dataset.ms) / 1000;
			player.play().catch(() => {});
		});
	}
	const canvas = document.getElementById('wave');
	let peaks = [];
	function draw() {
		const paint = canvas.getContext('2d'), middle = canvas.height / 2;
		paint.clearRect(0, 0, canvas.width, canvas.height);
		const played = player.duration ? player.currentTime / player.duration : 0;
		peaks.forEach((peak, x) => {
			paint.fillStyle = x / peaks.length < played ? '#2a6ebb' : '#8da9c4';
			paint.fillRect(x, middle - peak * middle, 1, Math.max(1, peak * middle * 2));
		});
	}
	async function wave() {
		const sound = await (await fetch(player.src, { credentials: 'same-origin' })).arrayBuffer();
		const audio = await new (window.AudioContext || window.webkitAudioContext)().decodeAudioData(sound);
		const sides = Array.from({ length: audio.numberOfChannels }, (_, side) => audio.getChannelData(side)), step = Math.max(1, Math.floor(audio.length / canvas.width));
		for (let x = 0; x < canvas.width; x++) {
			let peak = 0;
			for (let n = x * step; n < (x + 1) * step && n < audio.length; n += 8) {
				for (const samples of sides) { peak = Math.max(peak, Math.abs(samples[n])); }
			}
			peaks.push(peak);
		}
		draw();
	}
	player.addEventListener('timeupdate', draw);
	canvas.addEventListener('click', (event) => {
		if (player.duration) { player.currentTime = event.offsetX / canvas.clientWidth * player.duration; }
	});
	wave().catch(() => { canvas.hidden = true; });
}());
