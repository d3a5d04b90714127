// Asks the page's own server something, in the operator's name; what was typed overrides nothing of that.
window.voice_ask = async function (what, more, id) {
	'use strict';
	const page = window.voice_secretary;
	const body = new FormData();
	for (const [name, value] of Object.entries(more || {})) { body.set(name, value); }
	body.set('ask', what);
	body.set('id', id || page.id || '');
	body.set(page.token_name, page.token);
	// A session that is over leads to the form of logging in, which is no answer.
	const answer = await fetch(page.ask, { method: 'POST', body: body, credentials: 'same-origin', redirect: 'error' });
	const type = answer.headers.get('Content-Type') || '';
	return type.startsWith('audio/') ? answer.blob() : answer.json();
};
