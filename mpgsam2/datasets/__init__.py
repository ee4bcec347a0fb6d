"""The paper's data sets: their index, their truth, their protocols, and what is handed in to their servers.

- `registry`: `open_data_set` reads an index, `score` measures the masks that somebody's program wrote;
- `ref_davis17`, `mevis`, `ref_youtube_vos`, `refcoco`: how each lies on disk; only the index is held in memory;
- `score_ref_davis17`, `score_sentences`: the protocols, on `frame_scores`, `statistics` and `scores`;
- `results`: masks in a folder or zip.
"""
