// Connects a provider as a call would, and says what came of it.
(function () {
	'use strict';
	const page = window.voice_secretary;

	function mark(step, ok) {
		if (step) { step.className = ok ? 'vs_done' : 'vs_failed'; }
	}
	for (const button of document.querySelectorAll('.vs_test')) {
		button.addEventListener('click', async () => {
			const said = button.parentElement.querySelector('.vs_said');
			button.disabled = true;
			said.className = 'vs_said';
			said.textContent = page.wait || '…';
			try {
				const told = await window.voice_ask('test_provider', {}, button.dataset.id);
				said.textContent = told.said;
				said.className = 'vs_said ' + (told.ok ? 'vs_good_text' : 'vs_bad_text');
				mark(button.closest('.vs_steps > li'), told.ok);
			} catch (error) { said.textContent = page.failed || 'failed'; }
			button.disabled = false;
		});
		if (page.try) { button.click(); }
	}
}());
