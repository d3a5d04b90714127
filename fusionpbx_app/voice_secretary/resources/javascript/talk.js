// Talks to a secretary: microphone and loudspeaker over one WebSocket to the worker, what is said and
// how long each answer took beside it. The page gives `window.voice_talk`: where the sound module is,
// how to get an address, and the words.
(function () {
	'use strict';
	const page = window.voice_talk;
	const element = (id) => document.getElementById(id);
	const state = element('talk_state'), turns = element('talk_turns'), level = element('talk_level');
	const begin = element('btn_begin'), end = element('btn_end');
	let socket = null, context = null, microphone = null, stream = null, began = 0;

	function say(key, values) {
		state.textContent = Object.entries(values || {}).reduce((text, pair) => text.replace('{' + pair[0] + '}', pair[1]), page.say[key] || key);
		state.dataset.state = key;
	}

	function row(key, agent) {
		let found = turns.querySelector("[data-item='" + CSS.escape(key) + "']");
		if (!found) {
			found = document.createElement('div');
			found.dataset.item = key;
			found.className = 'vs_turn' + (agent ? ' vs_agent' : '');
			found.append(document.createElement('small'), document.createElement('span'));
			turns.append(found);
		}
		found.scrollIntoView({ block: 'nearest' });
		return found;
	}

	const heard = {
		open: () => say('connecting'),
		ready: () => say('talking'),
		turn: (told) => {
			const agent = told.role !== 'user';
			const found = row(told.item || String(turns.childElementCount), agent);
			found.firstChild.textContent = (agent ? page.say.agent : page.say.caller) + (told.interrupted ? ' · ' + page.say.interrupted : '');
			found.lastChild.textContent = told.text || page.say.unclear;
			found.classList.toggle('vs_cut', Boolean(told.interrupted));
		},
		latency: (told) => {
			const parts = ['network', 'model', 'buffer', 'playout'].filter((one) => told[one + '_ms'] !== null);
			element('talk_latency').textContent = page.say.latency.replace('{ms}', told.total_ms) + ' (' + parts.map((one) => (page.say[one] || one) + ' ' + told[one + '_ms']).join(', ') + ')';
			element('talk_latency').dataset.ms = told.total_ms;
		},
		interrupted: () => { turns.dataset.interrupted = String(Number(turns.dataset.interrupted || 0) + 1); },
		clear: () => { if (heard.player) { heard.player.port.postMessage('clear'); } },
		function: (told) => { row('f' + told.name + turns.childElementCount, true).firstChild.textContent = told.name + ': ' + told.status; },
		transfer: (told) => { row('transfer', true).firstChild.textContent = page.say.transfer.replace('{destination}', told.destination); },
		trouble: (told) => { row('trouble' + turns.childElementCount, true).firstChild.textContent = page.say.trouble + ' ' + told.code + ': ' + told.message; },
		refused: (told) => { heard.over = true; say('refused', { why: told.why }); },
		ended: () => { heard.over = true; say('over'); },
	};

	async function sound() {
		// Asked for at 16 kHz; a browser that cannot join rates gives the microphone's own.
		for (const options of [{ sampleRate: 16000 }, {}]) {
			const made = new AudioContext(options);
			try {
				await made.audioWorklet.addModule(page.sound);
				microphone = made.createMediaStreamSource(stream);
				return made;
			} catch (error) {
				await made.close();
				if (!options.sampleRate) { throw error; }
			}
		}
		return null;
	}

	async function talk() {
		begin.disabled = true;
		turns.replaceChildren();
		heard.over = false;
		if (!navigator.mediaDevices || !window.AudioWorkletNode) { say('insecure'); begin.disabled = false; return; }
		say('asking');
		try {
			stream = await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 } });
		} catch (error) { say('no_microphone'); begin.disabled = false; return; }
		try {
			context = await sound();
			const told = await page.address();
			if (!told.ok) { state.textContent = told.said; state.dataset.state = 'refused'; stop(); return; }
			const address = new URL(told.url, location.href);
			address.protocol = address.protocol.replace('http', 'ws');
			address.searchParams.set('rate', String(context.sampleRate));
			socket = new WebSocket(address);
		} catch (error) { say('failed'); stop(); return; }
		socket.binaryType = 'arraybuffer';
		const taken = new AudioWorkletNode(context, 'talk-microphone', { numberOfOutputs: 0 });
		heard.player = new AudioWorkletNode(context, 'talk-loudspeaker', { numberOfInputs: 0, outputChannelCount: [1] });
		microphone.connect(taken);
		heard.player.connect(context.destination);
		taken.port.onmessage = (event) => {
			level.value = event.data.peak;
			if (socket && socket.readyState === WebSocket.OPEN) { socket.send(event.data.sound); }
		};
		socket.onopen = () => { began = Date.now(); end.disabled = false; };
		socket.onmessage = (event) => {
			if (typeof event.data !== 'string') {
				turns.dataset.sound = String(Number(turns.dataset.sound || 0) + event.data.byteLength);
				heard.player.port.postMessage(event.data, [event.data]);
				return;
			}
			const told = JSON.parse(event.data);
			if (typeof heard[told.event] === 'function') { heard[told.event](told); }
		};
		socket.onclose = () => {
			if (!heard.over) { say(began ? 'over' : 'no_worker'); }
			stop();
		};
	}

	function stop() {
		if (socket && socket.readyState <= WebSocket.OPEN) { socket.close(1000); }
		if (stream) { stream.getTracks().forEach((track) => track.stop()); }
		if (context) { context.close().catch(() => {}); }
		socket = stream = context = null;
		began = 0;
		level.value = 0;
		begin.disabled = false;
		end.disabled = true;
	}

	begin.addEventListener('click', talk);
	end.addEventListener('click', () => { heard.over = true; say('over'); stop(); });
	for (const key of document.querySelectorAll('[data-digit]')) {
		key.addEventListener('click', () => {
			if (socket && socket.readyState === WebSocket.OPEN) { socket.send(JSON.stringify({ digit: key.dataset.digit })); }
		});
	}
	window.addEventListener('pagehide', stop);
	end.disabled = true;
	say('idle');
}());
