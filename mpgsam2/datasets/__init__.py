"""The paper's data sets and your own: their index, their truth, their protocols, and what is handed in to servers.

Where things lie, one reader for each data set, which holds its index and no more:

- `registry`: a data set by its name, `open_data_set`;
- `ref_davis17`, `mevis`, `ref_youtube_vos`, `own`: data sets of videos, each a `data_set.DataSet`;
- `refcoco`: sentences on single images;
- `expressions`, `run_lengths`, `polygons`, `pictures`, `names`: what their files hold.

What is done with them:

- `protocols`: for each data set how a model answers (`id_maps`, `sentence_masks`), and how answers are scored
  (`score_ref_davis17`, `score_sentences`, on `frame_scores`, `statistics` and `scores`);
- `evaluate`: a model's masks of a whole data set, in a `results_folder`, shared out by `processes`;
- `results`: the masks of any program; `submission`: the zip for a server; `sheet`: a picture of them;
- `score_command`, `evaluate_command`, `convert`: the command line.

What is scored or read here needs no network; only `evaluate` loads one.
"""
