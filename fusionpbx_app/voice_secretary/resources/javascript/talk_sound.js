// The audio thread of talk.js: the microphone out in pieces of 20 ms, the agent's voice in from a
// short queue. Sound is 16-bit, one channel, at the rate of the audio context.
class TalkMicrophone extends AudioWorkletProcessor {
	constructor() {
		super();
		this.piece = new Int16Array(Math.round(sampleRate / 50));
		this.filled = 0;
		this.peak = 0;
	}

	process(inputs) {
		const channel = inputs[0][0];
		if (!channel) { return true; }
		for (let n = 0; n < channel.length; n++) {
			const sample = Math.max(-1, Math.min(1, channel[n]));
			this.peak = Math.max(this.peak, Math.abs(sample));
			this.piece[this.filled++] = sample < 0 ? sample * 32768 : sample * 32767;
			if (this.filled === this.piece.length) {
				const sent = this.piece.slice();
				this.port.postMessage({ sound: sent.buffer, peak: this.peak }, [sent.buffer]);
				this.filled = this.peak = 0;
			}
		}
		return true;
	}
}

class TalkLoudspeaker extends AudioWorkletProcessor {
	constructor() {
		super();
		this.queue = [];
		this.at = 0;
		this.waiting = 0;
		this.playing = false;
		this.start_at = Math.round(sampleRate * 0.04);
		this.most = sampleRate * 10;
		this.port.onmessage = (event) => {
			if (event.data === 'clear') { this.empty(); return; }
			const samples = new Int16Array(event.data);
			if (this.waiting + samples.length > this.most) { return; }
			this.queue.push(samples);
			this.waiting += samples.length;
		};
	}

	empty() {
		this.queue = [];
		this.at = this.waiting = 0;
		this.playing = false;
	}

	process(inputs, outputs) {
		const out = outputs[0][0];
		this.playing = this.playing ? this.waiting > 0 : this.waiting >= this.start_at;
		if (!this.playing) { return true; }
		for (let n = 0; n < out.length && this.queue.length; n++) {
			out[n] = this.queue[0][this.at++] / 32768;
			this.waiting--;
			if (this.at === this.queue[0].length) { this.queue.shift(); this.at = 0; }
		}
		for (let c = 1; c < outputs[0].length; c++) { outputs[0][c].set(out); }
		return true;
	}
}

registerProcessor('talk-microphone', TalkMicrophone);
registerProcessor('talk-loudspeaker', TalkLoudspeaker);
