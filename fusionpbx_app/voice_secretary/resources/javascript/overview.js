// Calls and cost of the last days, drawn by the chart library that FusionPBX ships.
(function () {
	'use strict';
	const page = window.voice_secretary;
	const place = document.getElementById('chart_days');
	if (!window.Chart) { place.parentElement.hidden = true; return; }
	const answered = page.calls.map((calls, n) => calls - page.failed[n]);
	new Chart(place, {
		data: {
			labels: page.days.map((day) => day.slice(5)),
			datasets: [
				{ type: 'bar', label: page.say.calls, data: answered, backgroundColor: '#2a6ebb', stack: 'calls', yAxisID: 'y' },
				{ type: 'bar', label: page.say.failed, data: page.failed, backgroundColor: '#b00020', stack: 'calls', yAxisID: 'y' },
				{ type: 'line', label: page.say.cost + ' (USD)', data: page.cost, borderColor: '#b26a00', backgroundColor: '#b26a00', yAxisID: 'cost', tension: 0.25 },
			],
		},
		options: {
			animation: false, maintainAspectRatio: false,
			scales: { y: { stacked: true, beginAtZero: true, ticks: { precision: 0 } }, x: { stacked: true, grid: { display: false } }, cost: { position: 'right', beginAtZero: true, grid: { display: false } } },
			plugins: { legend: { position: 'bottom' } },
		},
	});
}());
