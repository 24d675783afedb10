"""The battlement track: from the long edge inwards and back, every part once."""

import numpy as np

from leukemia.segmentation.slides import track


def test_it_meanders_two_along_two_inwards_two_along_and_two_back():
    film = np.ones((3, 7), bool)
    assert track.battlement(film)[:13] == [
        *(
            (0, 0),
            (1, 0),
            (2, 0),
            (2, 1),
            (2, 2),
            (3, 2),
            (4, 2),
            (4, 1),
            (4, 0),
            (5, 0),
            (6, 0),
            (6, 1),
            (6, 2),
        )
    ]


def test_every_part_is_visited_once():
    film = np.random.default_rng(0).random((9, 17)) > 0.3
    visited = track.battlement(film)
    assert sorted(visited) == sorted(track.reading(film)) and len(visited) == film.sum()


def test_it_begins_at_the_long_edge_of_the_film_wherever_that_lies():
    film = np.zeros((12, 8), bool)
    film[2:11, 3:6] = True
    assert track.battlement(film)[:5] == [(3, 2), (3, 3), (3, 4), (4, 4), (5, 4)]


def test_it_follows_an_edge_that_is_not_straight():
    film = np.ones((4, 6), bool)
    film[0, :2] = False
    assert track.battlement(film)[:4] == [(0, 1), (1, 1), (2, 0), (2, 1)]


def test_a_second_row_of_battlements_is_walked_back():
    film = np.ones((6, 5), bool)
    film = np.concatenate([film, np.ones((6, 2), bool)], axis=1)
    first = track.battlement(film)[:14]
    assert (6, 2) in first and first[13][0] == 6 and first[13][1] >= 3


def test_without_a_film_there_is_nothing_to_visit():
    assert track.battlement(np.zeros((3, 3), bool)) == []
